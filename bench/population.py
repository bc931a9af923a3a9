"""A made-up base of customers and their events, the same for one seed, written by Postgres itself.

Customers have a country, a plan, a worth and a household; events lie in the year before `now`.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import datetime

import asyncpg

from storage import migrate

TABLES = ("customers", "external_ids", "events")
STEP = 250_000  # rows a statement, so that progress can be shown
MEMORY = "1GB"  # to make an index with

# A number in [0, 1) for a row and a salt.
CHANCE = "((hashint8extended({row}, $1 + {salt}) & 1048575) / 1048576.0::float8)"
ID = "('00000000-0000-4000-8000-' || lpad(to_hex({row}), 12, '0'))::uuid"

CUSTOMERS = f"""
    INSERT INTO customers (id, created_at, attributes)
    SELECT {ID.format(row="n")}, $2, jsonb_build_object(
        'country', (ARRAY['FR', 'DE', 'GB', 'US', 'PL'])[1 + floor({CHANCE.format(row="n", salt=1)} * 5)],
        'plan', (ARRAY['free', 'free', 'free', 'pro'])[1 + floor({CHANCE.format(row="n", salt=2)} * 4)],
        'worth', round(({CHANCE.format(row="n", salt=3)} * 1000)::numeric, 2),
        'household', 'h' || n / 2,
        'email', 'c' || n || '@customers.example')
    FROM generate_series($3::bigint, $4::bigint) n
"""  # noqa: E501
IDS = f"""
    INSERT INTO external_ids (kind, value, customer, linked_at)
    SELECT 'user_id', 'c' || n, {ID.format(row="n")}, $1 FROM generate_series($2::bigint, $3::bigint) n
"""  # noqa: E501
EVENTS = f"""
    INSERT INTO events (id, received_at, occurred_at, kind, name, message_id, user_id, customer,
                        properties, context)
    SELECT {ID.format(row="n")}, at, at, 'track',
           (ARRAY['Order Completed', 'Order Completed', 'Order Cancelled', 'Product Viewed',
                  'Product Viewed', 'Product Viewed', 'Product Viewed', 'Product Viewed',
                  'Product Added', 'Product Added'])[1 + floor({CHANCE.format(row="n", salt=11)} * 10)],
           'bench-' || n, 'c' || who, {ID.format(row="who")},
           jsonb_build_object('total', round(({CHANCE.format(row="n", salt=12)} * 200)::numeric, 2),
                              'category', 'k' || floor({CHANCE.format(row="n", salt=13)} * 20)), '{{}}'
    FROM (
        SELECT n, 1 + floor({CHANCE.format(row="n", salt=14)} ^ 1.5 * $5)::bigint AS who,
               $2::timestamptz - {CHANCE.format(row="n", salt=15)} * interval '364 days' AS at
        FROM generate_series($3::bigint, $4::bigint) n
    ) rows
"""  # noqa: E501


Note = Callable[[str], None]


async def make(
    url: str, customers: int, events: int, now: datetime, note: Note, seed: int = 1
) -> None:
    """Write them all, index them, and have Postgres look at what it got."""
    connection = await asyncpg.connect(url)
    for months in range(13):
        start = now.replace(day=1)
        year, month = divmod(start.year * 12 + start.month - 1 - months, 12)
        await migrate.extend_partitions(
            connection, start.replace(year=year, month=month + 1), months=1
        )
    # Into tables without indexes: kept up to date by row they would take most of the time.
    put_back = [await bare(connection, table) for table in TABLES]
    work: list[tuple[str, str, list[object]]] = []
    for first, last in steps(customers):
        work.append((f"{last:,} customers", CUSTOMERS, [seed, now, first, last]))
        work.append((f"their {last:,} ids", IDS, [now, first, last]))
    for first, last in steps(events):
        work.append((f"{last:,} events", EVENTS, [seed, now, first, last, customers]))
    await asyncio.gather(*[written(url, work, note) for _ in range(os.cpu_count() or 1)])
    for table, statements in zip(TABLES, put_back, strict=True):
        for statement in statements:
            await connection.execute(statement)
            note(f"{table} indexed")
        await connection.execute(f"VACUUM (ANALYZE) {table}")
    await connection.close()


def steps(count: int) -> Iterator[tuple[int, int]]:
    """The first and the last row of each statement."""
    for first in range(1, count + 1, STEP):
        yield first, min(first + STEP - 1, count)


async def written(url: str, work: list[tuple[str, str, list[object]]], note: Note) -> None:
    """Take what is left to write, piece by piece, in a session of one's own."""
    connection = await asyncpg.connect(url)
    while work:
        name, text, parameters = work.pop(0)
        await connection.execute(text, *parameters)
        note(name)
    await connection.close()


async def bare(connection: asyncpg.Connection, table: str) -> list[str]:
    """Drop the indexes of a table; the statements that make them again."""
    await connection.execute(f"SET maintenance_work_mem = '{MEMORY}'")
    rows = await connection.fetch(
        """
        SELECT i.indexrelid::regclass::text AS name, c.conname AS "constraint",
               pg_get_constraintdef(c.oid) AS constrained, pg_get_indexdef(i.indexrelid) AS indexed
        FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
        WHERE i.indrelid = $1::text::regclass ORDER BY c.conname NULLS LAST
        """,
        table,
    )
    made = []
    for row in rows:
        if row["constraint"]:
            await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {row['constraint']}")
            made.append(
                f"ALTER TABLE {table} ADD CONSTRAINT {row['constraint']} {row['constrained']}"
            )
        else:
            await connection.execute(f"DROP INDEX {row['name']}")
            made.append(row["indexed"].replace(" ON ONLY ", " ON "))
    return made
