"""Instances: the authority on who is inside a journey."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from journeys.identity import CustomerId
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Instance:
    """One row; the plan is named, not held."""

    id: UUID
    journey: str
    version: int
    customer: CustomerId
    key: str | None
    workflow_id: str
    entry_event: UUID
    entry: Mapping[str, Any]
    entered_at: datetime
    started: bool
    position: str | None
    visit: int
    wait_visit: int | None
    wait_since: datetime | None
    wait_until: datetime | None
    nudge_event: UUID | None
    nudge_visit: int | None
    nudge_exit: str | None
    held: bool
    ended_at: datetime | None
    outcome: str | None
    why: Mapping[str, Any] | None
    goal_until: datetime | None
    goal_at: datetime | None
    goal_event: UUID | None


def instance(row: asyncpg.Record) -> Instance:
    """A row of `instances` as a model."""
    return Instance(**{name: row[name] for name in Instance.__slots__})


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


async def around(
    connection: Db,
    customers: Iterable[CustomerId],
    events: Iterable[UUID],
    journeys: Iterable[str],
    since: datetime,
) -> list[Instance]:
    """The customers' instances that an event may concern.

    Those inside, those whose goal is still open, those that one of `events` has moved already, and
    for the re-entry rules all that were ever in one of `journeys`.
    """
    rows = await connection.fetch(
        """
        SELECT * FROM instances
        WHERE customer = ANY ($1::uuid[])
          AND (ended_at IS NULL OR nudge_event = ANY ($2::uuid[])
               OR (goal_until >= $4 AND goal_at IS NULL) OR journey = ANY ($3::text[]))
        ORDER BY entered_at, id
        """,
        list(customers),
        list(events),
        list(journeys),
        since,
    )
    return [instance(row) for row in rows]


async def register(connection: Db, newcomers: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Write down who enters; the ids that are in (the others lost to an open instance)."""
    rows = await connection.fetch(
        """
        INSERT INTO instances (id, journey, version, customer, key, workflow_id, entry_event,
                               entry, entered_at, position, goal_until, why)
        SELECT * FROM jsonb_to_recordset($1) AS n (
            id uuid, journey text, version int, customer uuid, key text, workflow_id text,
            entry_event uuid, entry jsonb, entered_at timestamptz, position text,
            goal_until timestamptz, why jsonb)
        ON CONFLICT DO NOTHING RETURNING id
        """,
        list(newcomers),
    )
    return {row["id"] for row in rows}


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


async def mark_started(connection: Db, ids: Sequence[UUID]) -> None:
    """Their workflows exist."""
    await connection.execute(
        "UPDATE instances SET started = true WHERE id = ANY ($1::uuid[])", list(ids)
    )


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
    """The instance stands before an effect and its journey is paused."""
    await connection.execute("UPDATE instances SET held = true WHERE id = $1", id)


async def released(connection: Db, ids: Sequence[UUID]) -> None:
    """They were told to go on."""
    await connection.execute(
        "UPDATE instances SET held = false WHERE id = ANY ($1::uuid[])", list(ids)
    )


async def depth(connection: Db, event: UUID) -> int:
    """How many emitted events led to this one."""
    return (
        await connection.fetchval("SELECT coalesce(max(depth), 0) FROM events WHERE id = $1", event)
        or 0
    )


async def get(connection: Db, id: UUID) -> Instance | None:
    """One instance."""
    row = await connection.fetchrow("SELECT * FROM instances WHERE id = $1", id)
    return instance(row) if row else None


async def listed(
    connection: Db,
    journey: str | None = None,
    customer: UUID | None = None,
    state: str | None = None,
    position: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Instance]:
    """Instances by id, a page at a time, narrowed by what is given."""
    rows = await connection.fetch(
        """
        SELECT * FROM instances
        WHERE ($1::text IS NULL OR journey = $1) AND ($2::uuid IS NULL OR customer = $2)
          AND ($3::text IS NULL OR coalesce(outcome, 'inside') = $3)
          AND ($4::text IS NULL OR position = $4)
          AND ($5::uuid IS NULL OR id > $5)
        ORDER BY id LIMIT $6
        """,
        journey,
        customer,
        state,
        position,
        after,
        limit,
    )
    return [instance(row) for row in rows]


async def unstarted(connection: Db, before: datetime, limit: int) -> list[Instance]:
    """Registered before `before`, never started, and no event in the inbox will do it."""
    rows = await connection.fetch(
        """
        SELECT i.* FROM instances i
        WHERE NOT i.started AND i.ended_at IS NULL AND i.registered_at < $1
          AND NOT EXISTS (SELECT FROM inbox b WHERE b.event = i.entry_event)
        ORDER BY i.registered_at LIMIT $2
        """,
        before,
        limit,
    )
    return [instance(row) for row in rows]


async def stopped(connection: Db, limit: int) -> list[Instance]:
    """Open instances that entered before their journey was stopped."""
    rows = await connection.fetch(
        """
        SELECT i.* FROM journeys j JOIN instances i ON i.journey = j.name
        WHERE j.stopped_at IS NOT NULL AND i.ended_at IS NULL AND i.entered_at <= j.stopped_at
        ORDER BY i.id LIMIT $1
        """,
        limit,
    )
    return [instance(row) for row in rows]


async def resumable(connection: Db, limit: int) -> list[Instance]:
    """Instances that are held back though their journey goes on."""
    rows = await connection.fetch(
        """
        SELECT i.* FROM instances i JOIN journeys j ON j.name = i.journey
        WHERE i.held AND i.ended_at IS NULL AND j.paused_at IS NULL ORDER BY i.id LIMIT $1
        """,
        limit,
    )
    return [instance(row) for row in rows]


async def open_of_workflows(connection: Db, workflow_ids: Sequence[str]) -> list[Instance]:
    """Open, started instances of these workflows."""
    rows = await connection.fetch(
        """
        SELECT * FROM instances
        WHERE workflow_id = ANY ($1::text[]) AND ended_at IS NULL AND started
        """,
        list(workflow_ids),
    )
    return [instance(row) for row in rows]
