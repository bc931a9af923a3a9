"""Customers: their external ids, their attributes, and what is known of one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from journeys.event import Event
from journeys.identity import CustomerId, Directory, ExternalId
from storage.pool import Db


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


ID_LOCKS = 0x7069  # the first key of advisory locks on the creation of ids, by shard
FIELDS = "id, attributes, created_at, erased_at"


async def directory(
    connection: Db, ids: Iterable[ExternalId], secret: bytes
) -> tuple[Directory, dict[ExternalId, datetime]]:
    """Who owns `ids`, which of the owners have a user id, and which ids were erased, and when."""
    wanted = list(ids)
    rows = await connection.fetch(
        """
        SELECT w.kind, w.value, x.customer, t.erased_at, EXISTS (
            SELECT FROM external_ids u WHERE u.customer = x.customer AND u.kind = 'user_id'
        ) AS known
        FROM unnest($1::text[], $2::text[]) AS w (kind, value)
        LEFT JOIN external_ids x USING (kind, value)
        LEFT JOIN tombstones t
            ON t.hash = sha256($3 || convert_to(w.kind || ':' || w.value, 'UTF8'))
        """,
        [id.kind for id in wanted],
        [id.value for id in wanted],
        secret,
    )
    owned = [row for row in rows if row["customer"] is not None]
    found = Directory(
        owners={ExternalId(row["kind"], row["value"]): row["customer"] for row in owned},
        known={row["customer"] for row in owned if row["known"]},
    )
    erased = {
        ExternalId(row["kind"], row["value"]): row["erased_at"]
        for row in rows
        if row["erased_at"] is not None
    }
    return found, erased


async def lock_ids(connection: Db, shards: Iterable[int]) -> None:
    """Let nobody else create or link ids of these shards until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1, shard) FROM unnest($2::int[]) AS shard",
        ID_LOCKS,
        sorted(shards),
    )


async def create(connection: Db, customers: Sequence[CustomerId], now: datetime) -> None:
    """New customers nobody knows anything of yet."""
    await connection.execute(
        "INSERT INTO customers (id, created_at) SELECT id, $2 FROM unnest($1::uuid[]) AS id",
        list(customers),
        now,
    )


async def link(connection: Db, links: Mapping[ExternalId, CustomerId], now: datetime) -> None:
    """Let external ids lead to customers from now on."""
    ordered = sorted(links.items(), key=lambda pair: (pair[0].kind, pair[0].value))
    await connection.execute(
        """
        INSERT INTO external_ids (kind, value, customer, linked_at)
        SELECT kind, value, customer, $4
        FROM unnest($1::text[], $2::text[], $3::uuid[]) AS n (kind, value, customer)
        ON CONFLICT (kind, value) DO UPDATE SET customer = excluded.customer, linked_at = $4
        """,
        [id.kind for id, _ in ordered],
        [id.value for id, _ in ordered],
        [customer for _, customer in ordered],
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


async def ids(connection: Db, customer: UUID) -> list[ExternalId]:
    """Every external id of a customer."""
    rows = await connection.fetch(
        "SELECT kind, value FROM external_ids WHERE customer = $1 ORDER BY kind DESC, value",
        customer,
    )
    return [ExternalId(row["kind"], row["value"]) for row in rows]


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
