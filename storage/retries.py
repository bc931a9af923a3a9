"""What a subscriber did not take while it took others; later news of the customer waits too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from storage.news import IDS, News, Position, news
from storage.pool import Db
from storage.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class Retry:
    """News to be told again; None if it is gone, with its customer or by its age."""

    position: Position
    attempts: int
    since: datetime
    news: News | None


async def advance(
    connection: Db, of: Subscription, end: Position, late: Sequence[News], wait: timedelta
) -> bool:
    """The subscriber was told everything up to `end` except what is `late`.

    False if somebody has asked for a replay meanwhile, and nothing is written then.
    """
    row = await connection.fetchrow(
        """
        WITH moved AS (
            UPDATE subscriptions SET transaction = $4, seq = $5, failures = 0,
                failing_since = NULL, error = NULL
            WHERE id = $1 AND transaction = $2 AND seq = $3 AND replays = $10 RETURNING id
        ), late AS (
            INSERT INTO subscription_retries
                (subscription, transaction, seq, customer, retry_at, since)
            SELECT m.id, l.transaction, l.seq, l.customer, now() + $9, now()
            FROM moved m, unnest($6::xid8[], $7::bigint[], $8::uuid[])
                AS l (transaction, seq, customer)
            ON CONFLICT DO NOTHING
        )
        SELECT id FROM moved
        """,
        of.id,
        *of.position,
        *end,
        [one.position[0] for one in late],
        [one.position[1] for one in late],
        [one.customer for one in late],
        wait,
        of.replays,
    )
    return row is not None


async def customers(connection: Db, subscription: UUID) -> set[UUID]:
    """Whose news waits to be told again."""
    rows = await connection.fetch(
        "SELECT DISTINCT customer FROM subscription_retries WHERE subscription = $1", subscription
    )
    return {row["customer"] for row in rows}


async def due(connection: Db, subscription: UUID, limit: int) -> list[Retry]:
    """What is to be tried now, with what waits behind it, in order."""
    rows = await connection.fetch(
        f"""
        SELECT r.transaction, r.seq, r.attempts, r.since, n.at, n.audience, n.customer, n.joined,
               {IDS} AS ids
        FROM (
            SELECT DISTINCT ON (customer) customer, retry_at FROM subscription_retries
            WHERE subscription = $1 ORDER BY customer, transaction, seq
        ) first
        JOIN subscription_retries r ON r.subscription = $1 AND r.customer = first.customer
        LEFT JOIN audience_log n ON n.transaction = r.transaction AND n.seq = r.seq
        WHERE first.retry_at <= now() ORDER BY r.transaction, r.seq LIMIT $2
        """,  # noqa: S608
        subscription,
        limit,
    )
    return [
        Retry(
            (row["transaction"], row["seq"]),
            row["attempts"],
            row["since"],
            news(row) if row["customer"] is not None else None,
        )
        for row in rows
    ]


async def done(connection: Db, subscription: UUID, positions: Sequence[Position]) -> None:
    """These were told, or never will be."""
    await connection.execute(
        """
        DELETE FROM subscription_retries r USING unnest($2::xid8[], $3::bigint[]) AS d (t, s)
        WHERE r.subscription = $1 AND r.transaction = d.t AND r.seq = d.s
        """,
        subscription,
        [transaction for transaction, _ in positions],
        [seq for _, seq in positions],
    )


async def postpone(connection: Db, subscription: UUID, late: Mapping[Position, timedelta]) -> None:
    """These were refused once more: try each again after its time."""
    await connection.execute(
        """
        UPDATE subscription_retries r SET attempts = attempts + 1, retry_at = now() + l.wait
        FROM unnest($2::xid8[], $3::bigint[], $4::interval[]) AS l (t, s, wait)
        WHERE r.subscription = $1 AND r.transaction = l.t AND r.seq = l.s
        """,
        subscription,
        [transaction for transaction, _ in late],
        [seq for _, seq in late],
        list(late.values()),
    )
