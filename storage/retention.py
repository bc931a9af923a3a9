"""Nothing grows for ever: what is older than the retention goes, a partition at a time."""

from datetime import datetime

import asyncpg

from storage.migrate import PARTITIONED, month_after
from storage.pool import Db

MESSAGE_IDS = 10_000  # deleted in one statement


async def partitions(connection: Db, table: str) -> list[str]:
    """The month partitions of a table, the oldest first."""
    rows = await connection.fetch(
        """
        SELECT c.relname FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.relname = $1 AND c.relname ~ '_[0-9]{4}_[0-9]{2}$' ORDER BY c.relname
        """,
        table,
    )
    return [row["relname"] for row in rows]


async def drop_before(connection: asyncpg.Connection, limit: datetime) -> list[str]:
    """Drop every partition that ended before `limit`; a trail stays while somebody is inside."""
    dropped = []
    for table in PARTITIONED:
        for name in await partitions(connection, table):
            year, month = map(int, name.rsplit("_", 2)[1:])
            start = limit.replace(
                year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0
            )
            if month_after(start) > limit:
                continue
            if table == "trail" and await is_inhabited(connection, start, month_after(start)):
                continue
            await connection.execute(f"DROP TABLE {name}")
            dropped.append(name)
    return dropped


async def is_inhabited(connection: Db, start: datetime, end: datetime) -> bool:
    """Whether an open instance entered between the two."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM instances WHERE entered_at >= $1 AND entered_at < $2
                AND ended_at IS NULL
            )
            """,
            start,
            end,
        )
    )


async def forget_message_ids(connection: Db, limit: datetime) -> int:
    """Forget message ids that were received before `limit`; how many this call did."""
    rows = await connection.fetch(
        """
        DELETE FROM message_ids WHERE id IN (
            SELECT id FROM message_ids WHERE received_at < $1 LIMIT $2
        ) RETURNING 1
        """,
        limit,
        MESSAGE_IDS,
    )
    return len(rows)
