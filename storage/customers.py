"""Customers: their attributes, and the locks on their rows. Their ids are in `external_ids`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from journeys.event import Event
from journeys.identity import CustomerId
from storage.pool import Db

FIELDS = "id, attributes, created_at, erased_at"


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer as it is stored."""

    id: CustomerId
    attributes: Mapping[str, Any]
    created_at: datetime
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Attributes learned about a customer, each with the instant it was true at."""

    customer: CustomerId
    values: Mapping[str, Any]
    times: Mapping[str, float]


async def create(connection: Db, customers: Sequence[CustomerId], now: datetime) -> None:
    """New customers nobody knows anything of yet."""
    await connection.execute(
        "INSERT INTO customers (id, created_at) SELECT id, $2 FROM unnest($1::uuid[]) AS id",
        list(customers),
        now,
    )


async def write(connection: Db, written: Sequence[Written]) -> None:
    """Set attributes; of two writes of one attribute the later by its own instant stays."""
    ordered = sorted(written, key=lambda one: one.customer)
    await connection.execute(
        """
        UPDATE customers c SET
            attributes = c.attributes || coalesce(n.fresh, '{}'),
            attribute_times = c.attribute_times || coalesce(n.fresh_times, '{}')
        FROM (
            SELECT w.customer,
                   jsonb_object_agg(a.key, a.value) FILTER (WHERE a.is_newer) AS fresh,
                   jsonb_object_agg(a.key, w.times -> a.key) FILTER (WHERE a.is_newer)
                       AS fresh_times
            FROM jsonb_to_recordset($1) AS w (customer uuid, "values" jsonb, times jsonb)
            JOIN customers k ON k.id = w.customer
            LEFT JOIN LATERAL (
                SELECT v.key, v.value,
                       coalesce((k.attribute_times ->> v.key)::float8, '-infinity')
                           <= (w.times ->> v.key)::float8 AS is_newer
                FROM jsonb_each(w."values") v
            ) a ON true
            GROUP BY w.customer
        ) n
        WHERE c.id = n.customer
        """,
        ordered,
    )


async def locked(
    connection: Db, customers: Iterable[CustomerId], events: Sequence[tuple[Event, CustomerId]] = ()
) -> dict[CustomerId, Customer]:
    """These customers, their rows held until the transaction ends, in one order for everybody.

    It is also written down whose `events` are: they are seen once the rows are free.
    """
    rows = await connection.fetch(
        f"""
        WITH assigned AS (
            UPDATE events e SET customer = n.customer
            FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[]) AS n (id, received_at, customer)
            JOIN customers c ON c.id = n.customer
            WHERE e.id = n.id AND e.received_at = n.received_at
              AND e.customer IS DISTINCT FROM n.customer
        )
        SELECT {FIELDS} FROM customers WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE
        """,  # noqa: S608
        list(customers),
        [event.id for event, _ in events],
        [event.received_at for event, _ in events],
        [owner for _, owner in events],
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
