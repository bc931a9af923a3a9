"""A made-up base of customers and their events, the same for one seed, written by Postgres itself.

Customers have a country, a plan, a worth and a household; events lie in the year before `now`.
"""

from collections.abc import Callable
from datetime import datetime

import asyncpg

from storage import migrate

STEP = 500_000  # rows a statement, so that progress can be shown

# A number in [0, 1) for a row and a salt.
CHANCE = "((hashint8extended({row}, $1 + {salt}) & 1048575) / 1048576.0)"
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


async def make(
    connection: asyncpg.Connection,
    customers: int,
    events: int,
    now: datetime,
    note: Callable[[str], None],
    seed: int = 1,
) -> None:
    """Write them all, and have Postgres look at what it got."""
    for months in range(13):
        start = now.replace(day=1)
        year, month = divmod(start.year * 12 + start.month - 1 - months, 12)
        await migrate.extend_partitions(
            connection, start.replace(year=year, month=month + 1), months=1
        )
    for first in range(1, customers + 1, STEP):
        last = min(first + STEP - 1, customers)
        await connection.execute(CUSTOMERS, seed, now, first, last)
        await connection.execute(IDS, now, first, last)
        note(f"{last:,} customers")
    for first in range(1, events + 1, STEP):
        last = min(first + STEP - 1, events)
        await connection.execute(EVENTS, seed, now, first, last, customers)
        note(f"{last:,} events")
    for table in ("customers", "external_ids", "events"):
        await connection.execute(f"VACUUM (ANALYZE) {table}")
