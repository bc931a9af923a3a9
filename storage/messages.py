"""The ledger as it is read: what became of every message. `attempts` writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from journeys.identity import CustomerId
from storage.pool import Db

MessageState = Literal["sending", "deferred", "accepted", "refused", "unknown", "skipped"]


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the ledger."""

    id: UUID
    instance: UUID
    customer: CustomerId
    journey: str
    step: str
    visit: int
    channel: str
    class_: str
    topic: str | None
    guarantee: str
    state: MessageState
    reason: str | None
    detail: str | None
    attempt: UUID | None
    attempts: int
    lease_until: datetime | None
    provider: str | None
    provider_id: str | None
    at: datetime
    settled_at: datetime | None


def row(record: asyncpg.Record) -> Message:
    """A record of `messages` as a model."""
    values = dict(record)
    return Message(class_=values.pop("class"), **values)


async def get(connection: Db, id: UUID) -> Message | None:
    """One message."""
    record = await connection.fetchrow("SELECT * FROM messages WHERE id = $1", id)
    return row(record) if record else None


async def known(connection: Db, ids: Sequence[UUID]) -> dict[UUID, Message]:
    """The messages among `ids`."""
    rows = await connection.fetch("SELECT * FROM messages WHERE id = ANY ($1::uuid[])", list(ids))
    return {record["id"]: row(record) for record in rows}


async def listed(
    connection: Db,
    customer: UUID | None = None,
    journey: str | None = None,
    state: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Message]:
    """Messages by id, a page at a time, narrowed by what is given."""
    rows = await connection.fetch(
        """
        SELECT * FROM messages
        WHERE ($1::uuid IS NULL OR customer = $1) AND ($2::text IS NULL OR journey = $2)
          AND ($3::text IS NULL OR state = $3) AND ($4::uuid IS NULL OR id > $4)
        ORDER BY id LIMIT $5
        """,
        customer,
        journey,
        state,
        after,
        limit,
    )
    return [row(record) for record in rows]


async def counts(connection: Db, journey: str) -> list[Mapping[str, Any]]:
    """How many messages of a journey are in which state, by step and reason."""
    rows = await connection.fetch(
        """
        SELECT step, channel, state, reason, count(*) AS count FROM messages
        WHERE journey = $1 GROUP BY step, channel, state, reason ORDER BY step, state, reason
        """,
        journey,
    )
    return [dict(record) for record in rows]
