"""How many are in each audience: now, and by day."""

from datetime import date, datetime
from typing import NamedTuple

from storage.pool import Db


class Size(NamedTuple):
    """An audience at the end of a day (UTC), and what changed during it."""

    day: date
    size: int
    joined: int
    left: int


async def now(connection: Db) -> dict[str, int]:
    """How many are in each audience and in each part of one."""
    rows = await connection.fetch(
        "SELECT audience, count(*) AS size FROM audience_members GROUP BY audience"
    )
    return {row["audience"]: row["size"] for row in rows}


async def by_day(connection: Db, audience: str, since: datetime, until: datetime) -> list[Size]:
    """Each day's size, the oldest first: the present one, with what changed since taken back."""
    rows = await connection.fetch(
        """
        WITH days AS (
            SELECT day::date FROM generate_series(
                ($2::timestamptz AT TIME ZONE 'UTC')::date,
                ($3::timestamptz AT TIME ZONE 'UTC')::date, interval '1 day') AS day
        ), changed AS (
            SELECT (at AT TIME ZONE 'UTC')::date AS day,
                   count(*) FILTER (WHERE joined) AS joined,
                   count(*) FILTER (WHERE NOT joined) AS gone
            FROM audience_history
            WHERE audience = $1 AND at >= date_trunc('day', $2::timestamptz, 'UTC')
              AND transaction IS NOT NULL
            GROUP BY 1
        )
        SELECT d.day, coalesce(c.joined, 0) AS joined, coalesce(c.gone, 0) AS "left",
               (SELECT count(*) FROM audience_members WHERE audience = $1)
               - coalesce(sum(c.joined - c.gone) OVER (
                   ORDER BY d.day DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
               AS size
        FROM days d LEFT JOIN changed c USING (day) ORDER BY d.day
        """,
        audience,
        since,
        until,
    )
    return [Size(row["day"], int(row["size"]), row["joined"], row["left"]) for row in rows]
