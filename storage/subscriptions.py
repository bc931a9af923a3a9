"""Subscriptions: who is told of changes of audiences, where, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg

from storage.news import Position
from storage.pool import Db

Format = Literal["standard", "cloudevents"]

FIELDS = """
    id, url, audiences, format, secret, created_at, transaction, seq, replays, failures,
    failing_since, error, stopped_at
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it stands; `audiences` are all of them if none is named."""

    id: UUID
    url: str
    audiences: Sequence[str]
    format: Format
    secret: bytes
    created_at: datetime
    position: Position
    replays: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    error: str | None = None
    stopped_at: datetime | None = None


async def add(
    connection: Db,
    id: UUID,
    url: str,
    audiences: Sequence[str],
    format: Format,
    secret: bytes,
    now: datetime,
) -> Subscription:
    """A new one; it is told what changes from now on."""
    rows = await connection.fetch(
        f"""
        INSERT INTO subscriptions (id, url, audiences, format, secret, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING {FIELDS}
        """,  # noqa: S608
        id,
        url,
        list(audiences),
        format,
        secret,
        now,
    )
    return subscription(rows[0])


async def listed(connection: Db) -> list[Subscription]:
    """Every subscription, the oldest first."""
    rows = await connection.fetch(
        f"SELECT {FIELDS} FROM subscriptions ORDER BY created_at, id"  # noqa: S608
    )
    return [subscription(row) for row in rows]


async def get(connection: Db, id: UUID) -> Subscription | None:
    """One of them."""
    row = await connection.fetchrow(
        f"SELECT {FIELDS} FROM subscriptions WHERE id = $1",  # noqa: S608
        id,
    )
    return subscription(row) if row else None


async def remove(connection: Db, id: UUID) -> bool:
    """Tell it nothing any more; whether it was there."""
    return await connection.execute("DELETE FROM subscriptions WHERE id = $1", id) == "DELETE 1"


async def due(connection: Db) -> list[Subscription]:
    """Those that something is to be told to now."""
    rows = await connection.fetch(
        f"""
        SELECT {FIELDS} FROM subscriptions s
        WHERE s.stopped_at IS NULL AND s.retry_at <= now() AND (
            (
                -- Ordered, so that it is the index's first row and not a scan.
                SELECT l.seq FROM audience_log l
                WHERE (l.transaction, l.seq) > (s.transaction, s.seq)
                  AND l.transaction < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY l.transaction, l.seq LIMIT 1
            ) IS NOT NULL
            OR EXISTS (
                SELECT FROM (
                    SELECT DISTINCT ON (customer) retry_at FROM subscription_retries r
                    WHERE r.subscription = s.id ORDER BY customer, transaction, seq
                ) first WHERE first.retry_at <= now()))
        """  # noqa: S608
    )
    return [subscription(row) for row in rows]


async def fail(connection: Db, id: UUID, error: str, wait: timedelta) -> datetime | None:
    """It took nothing, and is asked again after `wait`; since when that is so."""
    since: datetime | None = await connection.fetchval(
        """
        UPDATE subscriptions SET failures = failures + 1, error = $2, retry_at = now() + $3,
            failing_since = coalesce(failing_since, now())
        WHERE id = $1 RETURNING failing_since
        """,
        id,
        error,
        wait,
    )
    return since


async def stop(connection: Db, id: UUID, error: str) -> None:
    """Tell it nothing until somebody replays; what it did not take one by one is dropped."""
    await connection.execute(
        """
        WITH dropped AS (DELETE FROM subscription_retries WHERE subscription = $1)
        UPDATE subscriptions SET stopped_at = now(), error = $2 WHERE id = $1
        """,
        id,
        error,
    )


async def replay(connection: Db, id: UUID, position: Position | None) -> bool:
    """Tell it again what came after `position`, and go on if it was stopped; whether it is there.

    One that has not come that far yet stays where it is, so that nothing is left out; what is
    under way is told again. What waits to be tried again and comes after that is told in its turn.
    """
    row = await connection.fetchrow(
        """
        WITH back AS (
            SELECT id, ($2::xid8, $3::bigint) < (transaction, seq) AS moves
            FROM subscriptions WHERE id = $1 FOR UPDATE
        ), dropped AS (
            DELETE FROM subscription_retries r USING back
            WHERE r.subscription = back.id AND back.moves AND (r.transaction, r.seq) > ($2, $3)
        )
        UPDATE subscriptions s SET
            transaction = CASE WHEN back.moves THEN $2 ELSE transaction END,
            seq = CASE WHEN back.moves THEN $3 ELSE seq END,
            replays = replays + 1, failures = 0, failing_since = NULL, retry_at = '-infinity',
            error = NULL, stopped_at = NULL
        FROM back WHERE s.id = back.id RETURNING s.id
        """,
        id,
        *(position or (None, None)),
    )
    return row is not None


def subscription(row: asyncpg.Record) -> Subscription:
    """A row as a model."""
    given = {name: row[name] for name in Subscription.__slots__ if name != "position"}
    return Subscription(**given, position=(row["transaction"], row["seq"]))
