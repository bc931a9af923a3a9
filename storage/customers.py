"""Customers: their attributes, and the locks on their rows. Their ids are in `external_ids`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from journeys.event import Event
from journeys.identity import CustomerId, IdKind
from storage.pool import Db

FIELDS = "id, attributes, created_at, erased_at"


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer as it is stored."""

    id: CustomerId
    attributes: Mapping[str, Any]
    created_at: datetime
    erased_at: datetime | None = None
    is_merged: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """Attributes learned about a customer, each with the instant it was true at."""

    customer: CustomerId
    values: Mapping[str, Any]
    times: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A customer who is not there yet, by the id that leads to it."""

    customer: CustomerId
    id: str
    values: Mapping[str, Any]


async def create(connection: Db, customers: Sequence[CustomerId], now: datetime) -> None:
    """New customers nobody knows anything of yet."""
    await connection.execute(
        "INSERT INTO customers (id, created_at) SELECT id, $2 FROM unnest($1::uuid[]) AS id",
        list(customers),
        now,
    )


async def enrol(
    connection: Db, kind: IdKind, newcomers: Sequence[Newcomer], at: float, now: datetime
) -> None:
    """New customers, each with its first id and what is known of it as of `at`."""
    await connection.execute(
        """
        WITH fresh AS (
            SELECT * FROM jsonb_to_recordset($2) AS f (customer uuid, id text, "values" jsonb)
        ), made AS (
            INSERT INTO customers (id, created_at, attributes, attribute_times)
            SELECT customer, $4, "values", coalesce((
                SELECT jsonb_object_agg(name, $3::float8) FROM jsonb_object_keys("values") AS name
            ), '{}') FROM fresh
        )
        INSERT INTO external_ids (kind, value, customer, linked_at)
        SELECT $1, id, customer, $4 FROM fresh
        """,
        kind,
        newcomers,
        at,
        now,
    )


async def write(connection: Db, written: Sequence[Written]) -> None:
    """Set attributes; of two writes of one attribute the later by its own instant stays.

    What a customer has is read from the very row that is written, so that of two who write at the
    same time neither goes by what was before the other.
    """
    await connection.execute(
        """
        UPDATE customers c SET (attributes, attribute_times) = (
            SELECT c.attributes || coalesce(jsonb_object_agg(v.key, v.value), '{}'),
                   c.attribute_times || coalesce(jsonb_object_agg(v.key, w.times -> v.key), '{}')
            FROM jsonb_each(w."values") v
            WHERE coalesce((c.attribute_times ->> v.key)::float8, '-infinity')
                <= (w.times ->> v.key)::float8
        )
        FROM jsonb_to_recordset($1) AS w (customer uuid, "values" jsonb, times jsonb)
        WHERE c.id = w.customer
        """,
        sorted(written, key=lambda one: one.customer),
    )


async def held(connection: Db, customers: Iterable[CustomerId]) -> set[CustomerId]:
    """Those of these who are there and were not merged; their rows are held, as by `locked`."""
    rows = await connection.fetch(
        """
        SELECT id FROM customers WHERE id = ANY ($1::uuid[]) AND merged_into IS NULL
        ORDER BY id FOR UPDATE
        """,
        list(customers),
    )
    return {row["id"] for row in rows}


async def locked(
    connection: Db, customers: Iterable[CustomerId], events: Sequence[tuple[Event, CustomerId]] = ()
) -> dict[CustomerId, Customer]:
    """These customers, their rows held until the transaction ends, in one order for everybody.

    It is also written down whose `events` are: they are seen once the rows are free. Partitions
    in which none of them can be are not even opened.
    """
    times = [event.received_at for event, _ in events]
    rows = await connection.fetch(
        f"""
        WITH assigned AS (
            UPDATE events e SET customer = n.customer
            FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[]) AS n (id, received_at, customer)
            JOIN customers c ON c.id = n.customer
            WHERE e.id = n.id AND e.received_at = n.received_at
              AND e.received_at BETWEEN $5 AND $6 AND e.customer IS DISTINCT FROM n.customer
        )
        SELECT {FIELDS}, merged_into IS NOT NULL AS is_merged
        FROM customers WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
        """,  # noqa: S608
        list(customers),
        [event.id for event, _ in events],
        times,
        [owner for _, owner in events],
        min(times, default=None),
        max(times, default=None),
    )
    return {row["id"]: Customer(**row) for row in rows}


async def wait_for_routing(connection: Db, customer: UUID) -> None:
    """Return once no router holds the customer: what it has assigned is committed then."""
    await connection.execute("SELECT FROM customers WHERE id = $1 FOR SHARE", customer)


async def get(connection: Db, id: UUID) -> Customer | None:
    """One customer by our own id, following merges."""
    row = await connection.fetchrow(
        f"""
        WITH RECURSIVE chain AS (
            SELECT * FROM customers WHERE id = $1
            UNION ALL SELECT c.* FROM chain JOIN customers c ON c.id = chain.merged_into
        )
        SELECT {FIELDS} FROM chain WHERE merged_into IS NULL
        """,  # noqa: S608
        id,
    )
    return Customer(**row) if row else None


async def by_external_id(connection: Db, value: str) -> Customer | None:
    """The customer whose user id, else anonymous id, is `value`."""
    row = await connection.fetchrow(
        """
        SELECT c.id, c.attributes, c.created_at, c.erased_at
        FROM external_ids x JOIN customers c ON c.id = x.customer
        WHERE x.value = $1 AND x.kind IN ('user_id', 'anonymous_id')
        ORDER BY x.kind DESC LIMIT 1
        """,
        value,
    )
    return Customer(**row) if row else None


async def gone(connection: Db, customers: Sequence[UUID]) -> set[UUID]:
    """Those of `customers` that were erased, or merged into another one."""
    rows = await connection.fetch(
        """
        SELECT g.id FROM unnest($1::uuid[]) AS g (id)
        WHERE NOT EXISTS (SELECT FROM customers c WHERE c.id = g.id AND c.merged_into IS NULL)
        """,
        list(customers),
    )
    return {row["id"] for row in rows}


async def listed(connection: Db, after: UUID | None, limit: int) -> list[Customer]:
    """Customers by id, a page at a time."""
    rows = await connection.fetch(
        f"""
        SELECT {FIELDS} FROM customers
        WHERE merged_into IS NULL AND erased_at IS NULL AND ($1::uuid IS NULL OR id > $1)
        ORDER BY id LIMIT $2
        """,  # noqa: S608
        after,
        limit,
    )
    return [Customer(**row) for row in rows]


async def ids(connection: Db, after: UUID | None, limit: int) -> list[CustomerId]:
    """Ids of customers in their order, a page at a time."""
    rows = await connection.fetch(
        """
        SELECT id FROM customers
        WHERE merged_into IS NULL AND erased_at IS NULL AND ($1::uuid IS NULL OR id > $1)
        ORDER BY id LIMIT $2
        """,
        after,
        limit,
    )
    return [row["id"] for row in rows]
