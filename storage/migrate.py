"""Brings a database up to the schema of this release; safe to run from many processes at once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from pogo_core.util import migrate

MIGRATIONS = Path(__file__).with_name("migrations")
PARTITIONED = ("events", "trail", "refusals", "audience_changes")
LOCK = 0x70617263  # any number of ours: migrations of one database run one at a time


async def apply(connection: asyncpg.Connection) -> None:
    """Apply every migration that the database lacks, in order."""
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
    try:
        await migrate.apply(connection, MIGRATIONS, schema_name="public")
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


def month_after(day: datetime) -> datetime:
    """The first instant of the month after `day`."""
    return (day.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


async def extend_partitions(connection: asyncpg.Connection, now: datetime, months: int = 3) -> None:
    """Make the partitions of this month and the next ones; a table's default catches the rest."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(months):
        end = month_after(start)
        for table in PARTITIONED:
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table}_{start:%Y_%m} PARTITION OF {table} "
                f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
            )
        start = end
