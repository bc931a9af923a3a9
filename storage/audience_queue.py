"""Customers whose audiences have to be judged again, in the order in which something changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.pool import Db

JUDGING = 0x70636A75  # the advisory lock that judging shares


@dataclass(frozen=True, slots=True)
class Touched:
    """A customer of whom something changed that these audiences look at, and by which event."""

    customer: UUID
    audiences: Collection[str]
    event: UUID | None = None
    not_before: datetime | None = None


async def put(connection: Db, touched: Sequence[Touched]) -> None:
    """Have these judged again soon; twice does no harm."""
    await connection.execute(
        """
        INSERT INTO audience_queue (customer, audiences, event, not_before)
        SELECT customer, ARRAY (SELECT jsonb_array_elements_text(audiences)), event,
               coalesce(not_before, '-infinity')
        FROM jsonb_to_recordset($1) AS t (
            customer uuid, audiences jsonb, event uuid, not_before timestamptz)
        """,
        [
            {
                "customer": one.customer,
                "audiences": sorted(one.audiences),
                "event": one.event,
                "not_before": one.not_before,
            }
            for one in touched
        ],
    )


async def put_for_all(connection: Db, customers: Sequence[UUID]) -> None:
    """Have customers judged by every audience: they are new, or two have become one."""
    await connection.execute(
        """
        INSERT INTO audience_queue (customer, audiences)
        SELECT customer, names FROM unnest($1::uuid[]) AS customer,
             (SELECT array_agg(name) AS names FROM audiences WHERE deleted_at IS NULL) a
        WHERE names IS NOT NULL
        """,
        list(customers),
    )


async def take(connection: Db, now: datetime, limit: int) -> list[Touched]:
    """The next ones, each customer once; whoever takes them commits, or they come again.

    Merged customers are followed to the one that they are now; erased ones are left out.
    """
    rows = await connection.fetch(
        """
        WITH taken AS (
            DELETE FROM audience_queue WHERE seq IN (
                SELECT seq FROM audience_queue WHERE not_before <= $1
                ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED
            ) RETURNING seq, customer, audiences, event
        )
        SELECT c.id AS customer, array_agg(DISTINCT a) AS audiences,
               (array_agg(t.event ORDER BY t.seq DESC))[1] AS event
        FROM taken t CROSS JOIN unnest(t.audiences) AS a
        CROSS JOIN LATERAL (
            WITH RECURSIVE chain AS (
                SELECT id, merged_into, erased_at FROM customers WHERE id = t.customer
                UNION ALL
                SELECT n.id, n.merged_into, n.erased_at
                FROM chain JOIN customers n ON n.id = chain.merged_into
            )
            SELECT id FROM chain WHERE merged_into IS NULL AND erased_at IS NULL
        ) c
        GROUP BY c.id ORDER BY c.id
        """,
        now,
        limit,
    )
    return [Touched(row["customer"], row["audiences"], row["event"]) for row in rows]


async def judging(connection: Db) -> None:
    """Say that customers are being judged, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", JUDGING)


async def let_pass(connection: Db) -> None:
    """Return once every transaction has ended that judged by an earlier catalog."""
    await connection.execute("SELECT pg_advisory_lock($1)", JUDGING)
    await connection.execute("SELECT pg_advisory_unlock($1)", JUDGING)


async def put_due(connection: Db, audiences: Sequence[str], now: datetime, limit: int) -> int:
    """Queue those whose time has come, for these audiences; how many there were."""
    rows = await connection.fetch(
        """
        WITH due AS (
            DELETE FROM audience_checks WHERE customer IN (
                SELECT customer FROM audience_checks WHERE at <= $2
                ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED
            ) RETURNING customer
        ), queued AS (
            INSERT INTO audience_queue (customer, audiences)
            SELECT customer, $1::text[] FROM due WHERE $1 <> '{}'
        )
        SELECT count(*) AS many FROM due
        """,
        list(audiences),
        now,
        limit,
    )
    return int(rows[0]["many"])


async def check_again(connection: Db, checks: Mapping[UUID, datetime]) -> None:
    """When customers have to be judged again though nothing happens; the earliest stays.

    Too early does no harm: judging then says when it will be next.
    """
    ordered = sorted(checks)
    await connection.execute(
        """
        INSERT INTO audience_checks AS c (customer, at)
        SELECT n.* FROM unnest($1::uuid[], $2::timestamptz[]) AS n (customer, at)
        LEFT JOIN LATERAL (
            SELECT at FROM audience_checks WHERE customer = n.customer OFFSET 0
        ) k ON true WHERE k.at IS NULL OR k.at > n.at
        ON CONFLICT (customer) DO UPDATE SET at = excluded.at WHERE c.at > excluded.at
        """,
        ordered,
        [checks[customer] for customer in ordered],
    )


async def is_waiting(connection: Db) -> bool:
    """Whether anybody waits to be judged."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM audience_queue)"))
