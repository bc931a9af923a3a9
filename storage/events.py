"""Events: each once per message id, and which of them wait to be routed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from journeys.event import Event, EventId, linked_shard, shard
from journeys.identity import CustomerId
from storage.pool import Db


async def insert(connection: Db, events: Sequence[Event], *, route: bool = True) -> set[EventId]:
    """Keep those events that are new, in one statement, and put them before the router.

    Answers with the ids of the new ones. Message ids are written in the order of their ids, so that
    concurrent batches wait for each other and never deadlock; the inbox keeps the order given.
    """
    once: dict[EventId, Event] = {}
    for event in events:
        once.setdefault(event.id, event)
    rows = await connection.fetch(
        """
        WITH given AS MATERIALIZED (
            SELECT * FROM unnest(
                $1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[],
                $6::text[], $7::text[], $8::text[], $9::smallint[], $10::text[],
                $11::text[], $12::smallint[], $13::smallint[]
            ) WITH ORDINALITY AS row (
                id, received_at, occurred_at, kind, name, message_id, user_id, anonymous_id, depth,
                properties, context, shard, linked_shard, position
            )
        ), fresh AS (
            INSERT INTO message_ids (id, received_at)
            SELECT id, received_at FROM given ORDER BY id
            ON CONFLICT DO NOTHING
            RETURNING id
        ), stored AS (
            INSERT INTO events (id, received_at, occurred_at, kind, name, message_id, user_id,
                                anonymous_id, depth, properties, context)
            SELECT id, received_at, occurred_at, kind, name, message_id, user_id,
                   anonymous_id, depth, properties::jsonb, context::jsonb
            FROM given JOIN fresh USING (id)
        ), routed AS (
            INSERT INTO inbox (event, received_at, shard, linked_shard)
            SELECT id, received_at, shard, linked_shard
            FROM given JOIN fresh USING (id)
            WHERE $14
            ORDER BY position
        )
        SELECT id FROM fresh
        """,
        *columns(list(once.values())),
        route,
    )
    return {EventId(row[0]) for row in rows}


def columns(events: list[Event]) -> list[list[object]]:
    """The events as the arrays that `insert` sends."""
    return [
        [event.id for event in events],
        [event.received_at for event in events],
        [event.occurred_at for event in events],
        [event.kind for event in events],
        [event.name for event in events],
        [event.message_id for event in events],
        [event.user_id for event in events],
        [event.anonymous_id for event in events],
        [event.depth for event in events],
        [orjson.dumps(event.properties).decode() for event in events],
        [orjson.dumps(event.context).decode() for event in events],
        [shard(event.user_id, event.anonymous_id) for event in events],
        [linked_shard(event) for event in events],
    ]


async def get(connection: Db, id: UUID) -> tuple[Event, CustomerId | None] | None:
    """One event and whose it is."""
    row = await connection.fetchrow("SELECT * FROM events WHERE id = $1", id)
    return (event_of(row), row["customer"]) if row else None


async def since(
    connection: Db, customer: UUID, names: Sequence[str], after: datetime, until: datetime
) -> list[Event]:
    """The customer's events with one of `names` that occurred in (after, until], oldest first."""
    rows = await connection.fetch(
        """
        SELECT * FROM events
        WHERE customer = $1 AND name = ANY ($2::text[])
          AND occurred_at > $3 AND occurred_at <= $4
        ORDER BY occurred_at, received_at
        """,
        customer,
        list(names),
        after,
        until,
    )
    return [event_of(row) for row in rows]


async def of_customer(
    connection: Db, customer: UUID, before: datetime | None, limit: int
) -> list[Event]:
    """A customer's events, the latest first."""
    rows = await connection.fetch(
        """
        SELECT * FROM events WHERE customer = $1 AND ($2::timestamptz IS NULL OR occurred_at < $2)
        ORDER BY occurred_at DESC, received_at DESC LIMIT $3
        """,
        customer,
        before,
        limit,
    )
    return [event_of(row) for row in rows]


def event_of(row: asyncpg.Record) -> Event:
    """A row of `events` as the event it holds."""
    return Event(
        id=row["id"],
        received_at=row["received_at"],
        occurred_at=row["occurred_at"],
        kind=row["kind"],
        name=row["name"],
        message_id=row["message_id"],
        user_id=row["user_id"],
        anonymous_id=row["anonymous_id"],
        properties=row["properties"],
        context=row["context"],
        depth=row["depth"],
    )
