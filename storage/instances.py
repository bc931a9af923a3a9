"""Instances: the authority on who is inside a journey. What moves an open one is in `moves`."""

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
    """One row; the plan is named, not held. `paged`: its run's pages walk it, no workflow does."""

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
    run: UUID | None
    paged: bool


def instance(row: asyncpg.Record) -> Instance:
    """A row of `instances` as a model."""
    return Instance(**{name: row[name] for name in Instance.__slots__})


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
    """Write down who enters; the ids that are in (the others lost to an open instance).

    Whom a run enters is written by `newcomers`.
    """
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
