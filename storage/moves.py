"""What moves an open instance: an event, its start, a pause, and its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.instances import Instance, instance
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Nudged:
    """What an event does to an instance: it ends it, or closes the wait of `visit` by `exit`."""

    instance: UUID
    event: UUID
    at: datetime
    why: Mapping[str, Any]
    visit: int | None = None
    exit: str | None = None
    position: str | None = None


async def wake(connection: Db, nudged: Sequence[Nudged]) -> set[UUID]:
    """Close waits, each by the first to do so; the instances that were woken.

    A wait whose exit leads nowhere (`position` is None) ends its instance.
    """
    rows = await connection.fetch(
        """
        WITH asked AS (
            SELECT n.*, i.entered_at FROM jsonb_to_recordset($1) AS n (
                instance uuid, event uuid, at timestamptz, why jsonb, visit int, exit text,
                position text)
            JOIN instances i ON i.id = n.instance
            WHERE i.ended_at IS NULL AND i.wait_visit = n.visit
            ORDER BY i.entered_at, i.id
        ), left_behind AS (
            UPDATE trail t SET exit = a.exit, left_at = a.at, why = a.why
            FROM asked a
            WHERE t.entered_at = a.entered_at AND t.instance = a.instance
              AND t.visit = a.visit AND t.exit IS NULL
            RETURNING a.*
        )
        UPDATE instances i SET nudge_event = l.event, nudge_visit = l.visit,
            nudge_exit = l.exit, wait_visit = NULL, position = l.position,
            ended_at = CASE WHEN l.position IS NULL THEN l.at END,
            outcome = CASE WHEN l.position IS NULL THEN 'completed' END
        FROM left_behind l WHERE i.id = l.instance
        RETURNING i.id
        """,
        list(nudged),
    )
    return {row["id"] for row in rows}


async def exit(connection: Db, nudged: Sequence[Nudged]) -> set[UUID]:
    """End instances by an exit rule; those that were open."""
    rows = await connection.fetch(
        """
        UPDATE instances i SET nudge_event = n.event, nudge_visit = NULL, wait_visit = NULL,
            held = false, ended_at = n.at, outcome = 'exited', why = n.why
        FROM jsonb_to_recordset($1) AS n (instance uuid, event uuid, at timestamptz, why jsonb)
        WHERE i.id = n.instance AND i.ended_at IS NULL
        RETURNING i.id
        """,
        list(nudged),
    )
    return {row["id"] for row in rows}


async def meet_goals(connection: Db, met: Sequence[tuple[UUID, UUID, datetime]]) -> None:
    """Write down (instance, event, instant) of goals that were met; the first stays."""
    await connection.execute(
        """
        UPDATE instances i SET goal_at = m.at, goal_event = m.event
        FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS m (instance, event, at)
        WHERE i.id = m.instance AND i.goal_at IS NULL
        """,
        *([one[index] for one in met] for index in range(3)),
    )


# The workflows of $1 exist. Whoever is held by somebody else is left out: it moves already, and the
# first visit that is written down says the same.
BEGUN = """
    UPDATE instances SET started = true WHERE id IN (
        SELECT id FROM instances WHERE id = ANY ($1::uuid[]) AND NOT started
        FOR UPDATE SKIP LOCKED)
"""


async def mark_started(connection: Db, ids: Sequence[UUID]) -> None:
    """Their workflows exist."""
    await connection.execute(BEGUN, list(ids))


async def end(
    connection: Db,
    ids: Sequence[UUID],
    now: datetime,
    outcome: str,
    why: Mapping[str, Any] | None = None,
) -> list[Instance]:
    """End what is open of `ids`; the instances that this call ended."""
    rows = await connection.fetch(
        """
        UPDATE instances SET ended_at = $2, outcome = $3, why = coalesce($4, why),
                             wait_visit = NULL, held = false
        WHERE id = ANY ($1::uuid[]) AND ended_at IS NULL RETURNING *
        """,
        list(ids),
        now,
        outcome,
        why,
    )
    return [instance(row) for row in rows]


async def hold(connection: Db, id: UUID) -> None:
    """The instance stands before an effect and its journey is paused; a broadcast waits anyway."""
    await connection.execute("UPDATE instances SET held = true WHERE id = $1 AND NOT paged", id)


async def released(connection: Db, ids: Sequence[UUID]) -> None:
    """They were told to go on."""
    await connection.execute(
        "UPDATE instances SET held = false WHERE id = ANY ($1::uuid[])", list(ids)
    )
