"""Runs: one occurrence of a journey that a group enters, how far it is and who counts as new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from storage.pool import Db

RunState = Literal["running", "paused", "cancelled", "done"]
Cause = Literal["schedule", "date", "event", "request"]


@dataclass(frozen=True, slots=True)
class Run:
    """One row.

    `cursor` is the customer it came to last, `leg` the instant whose time zones it is at; `held`
    says that it waits for its journey or for being resumed. `expected` is None where it cannot be
    told beforehand; `reached` were looked at, `entered` and `refused` are among them.
    """

    id: UUID
    journey: str
    version: int
    workflow_id: str
    cause: Cause
    audience: str | None
    scheduled_for: datetime
    entry: Mapping[str, Any]
    state: RunState
    held: bool
    leg: datetime | None
    cursor: UUID | None
    expected: int | None
    reached: int
    entered: int
    refused: int
    why: str | None
    created_at: datetime
    started_at: datetime | None
    resumed_at: datetime | None
    ended_at: datetime | None


def run_of(row: asyncpg.Record) -> Run:
    """A row of `runs` as a model."""
    return Run(**{name: row[name] for name in Run.__slots__})


async def create(
    connection: Db,
    id: UUID,
    journey: str,
    version: int,
    workflow_id: str,
    cause: Cause,
    audience: str | None,
    scheduled_for: datetime,
    entry: Mapping[str, Any],
    missed: str | None = None,
    event: UUID | None = None,
) -> Run:
    """The run with this id, made if there is none; one that was `missed`, and why, is over.

    Who is new for it: who joined since the run before, in the order of commits. What commits after
    now is for the next one, whatever instant it bears. Within a transaction.
    """
    await connection.execute("SELECT FROM journeys WHERE name = $1 FOR UPDATE", journey)
    await connection.execute(
        """
        INSERT INTO runs (id, journey, version, workflow_id, cause, audience, scheduled_for, entry,
                          event, state, why, ended_at, new_since, new_until)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $10, CASE WHEN $9::text IS NULL THEN 'running'
               ELSE 'cancelled' END, $9, CASE WHEN $9 IS NOT NULL THEN now() END,
               (SELECT new_until FROM runs WHERE journey = $2 AND new_until IS NOT NULL
                ORDER BY new_until DESC LIMIT 1),
               CASE WHEN $9 IS NULL THEN pg_snapshot_xmin(pg_current_snapshot()) END
        ON CONFLICT DO NOTHING
        """,
        id,
        journey,
        version,
        workflow_id,
        cause,
        audience,
        scheduled_for,
        entry,
        missed,
        event,
    )
    [row] = await connection.fetch("SELECT * FROM runs WHERE id = $1", id)
    return run_of(row)


async def get(connection: Db, id: UUID) -> Run | None:
    """One run."""
    row = await connection.fetchrow("SELECT * FROM runs WHERE id = $1", id)
    return run_of(row) if row else None


async def some(connection: Db, ids: Sequence[UUID]) -> dict[UUID, Run]:
    """These runs, as far as there are any."""
    rows = await connection.fetch("SELECT * FROM runs WHERE id = ANY ($1::uuid[])", list(ids))
    return {row["id"]: run_of(row) for row in rows}


async def of_event(connection: Db, event: UUID) -> list[Run]:
    """The runs that an event about the business began, by journey."""
    rows = await connection.fetch("SELECT * FROM runs WHERE event = $1 ORDER BY journey", event)
    return [run_of(row) for row in rows]


async def listed(connection: Db, journey: str, after: UUID | None, limit: int) -> list[Run]:
    """A journey's runs, the latest first, a page at a time."""
    rows = await connection.fetch(
        """
        SELECT r.* FROM runs r LEFT JOIN runs a ON a.id = $2
        WHERE r.journey = $1
          AND ($2::uuid IS NULL OR (r.scheduled_for, r.id) < (a.scheduled_for, a.id))
        ORDER BY r.scheduled_for DESC, r.id DESC LIMIT $3
        """,
        journey,
        after,
        limit,
    )
    return [run_of(row) for row in rows]


async def end(
    connection: Db, id: UUID, now: datetime, state: RunState, why: str | None = None
) -> None:
    """It is over; what ended it first stays."""
    await connection.execute(
        """
        UPDATE runs SET state = $3, ended_at = $2, why = $4
        WHERE id = $1 AND ended_at IS NULL
        """,
        id,
        now,
        state,
        why,
    )


async def pause(connection: Db, id: UUID) -> None:
    """Enter nobody else until it is resumed."""
    await connection.execute(
        "UPDATE runs SET state = 'paused' WHERE id = $1 AND state = 'running'", id
    )


async def resume(connection: Db, id: UUID, now: datetime) -> None:
    """Go on after a pause."""
    await connection.execute(
        "UPDATE runs SET state = 'running', resumed_at = $2 WHERE id = $1 AND state = 'paused'",
        id,
        now,
    )
