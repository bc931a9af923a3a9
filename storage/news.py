"""The log of who joined and left, for those who follow it: subscribers and streams.

It is read in the order of (transaction, seq) up to the oldest transaction under way, so that
nothing which commits late is passed over; a long transaction that writes holds it up.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from journeys.identity import ExternalId
from storage.pool import Db

Position = tuple[int, int]  # transaction and seq of what was read last

# The external ids of the customer of the row n, those that it had last if it was erased.
IDS = """
    coalesce(n.ids, (
        SELECT jsonb_agg(jsonb_build_object('kind', x.kind, 'value', x.value)
                         ORDER BY x.kind DESC, x.value)
        FROM external_ids x WHERE x.customer = n.customer
    ), '[]')
"""


@dataclass(frozen=True, slots=True)
class News:
    """A customer joined an audience or left it."""

    position: Position
    at: datetime
    audience: str
    customer: UUID
    joined: bool
    ids: Sequence[ExternalId] = ()


async def page(
    connection: Db, after: Position, audiences: Sequence[str], limit: int
) -> tuple[list[News], Position]:
    """What the next `limit` rows have of these audiences, of all if none is named; and the end."""
    rows = await connection.fetch(
        f"""
        SELECT n.transaction, n.seq, n.at, n.audience, n.customer, n.joined,
               CASE WHEN w.wanted THEN {IDS} END AS ids, w.wanted
        FROM (
            SELECT * FROM audience_log
            WHERE (transaction, seq) > ($1::xid8, $2::bigint)
              AND transaction < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY transaction, seq LIMIT $4
        ) n
        CROSS JOIN LATERAL (
            SELECT cardinality($3::text[]) = 0 OR n.audience = ANY ($3) AS wanted
        ) w
        ORDER BY n.transaction, n.seq
        """,  # noqa: S608
        *after,
        list(audiences),
        limit,
    )
    end = (rows[-1]["transaction"], rows[-1]["seq"]) if rows else after
    return [news(row) for row in rows if row["wanted"]], end


async def before(connection: Db, at: datetime) -> Position | None:
    """The position from which everything that happened at or after `at` is still to come."""
    row = await connection.fetchrow(
        """
        SELECT transaction, seq - 1 AS seq FROM audience_history
        WHERE at >= $1 AND transaction IS NOT NULL ORDER BY transaction, seq LIMIT 1
        """,
        at,
    )
    return (row["transaction"], row["seq"]) if row else None


async def of_streams(
    connection: Db, since: int, customers: Collection[UUID]
) -> tuple[list[News], int]:
    """What shared audiences have of these customers by transactions from `since` on, and until."""
    rows = await connection.fetch(
        """
        SELECT h.horizon, n.* FROM (
            SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon
        ) h LEFT JOIN LATERAL (
            SELECT l.transaction, l.seq, l.at, l.audience, l.customer, l.joined FROM audience_log l
            JOIN audiences a ON a.name = split_part(l.audience, '/', 1) AND a.shared
            WHERE l.transaction >= $1::xid8 AND l.transaction < h.horizon
              AND l.customer = ANY ($2::uuid[])
        ) n ON true
        ORDER BY n.transaction, n.seq
        """,
        since,
        list(customers),
    )
    return [news(row) for row in rows if row["seq"] is not None], rows[0]["horizon"]


async def purge_notices(connection: Db) -> None:
    """Forget the notices that nobody waits for any more: they may hold the ids of the erased."""
    await connection.execute(
        """
        DELETE FROM audience_notices n
        WHERE n.written_at < now() - interval '1 minute'
          AND NOT EXISTS (
            SELECT FROM subscriptions s WHERE s.stopped_at IS NULL
              AND (s.transaction, s.seq) < (n.transaction, n.seq))
          AND NOT EXISTS (
            SELECT FROM subscription_retries r
            WHERE r.transaction = n.transaction AND r.seq = n.seq)
        """
    )


def news(row: asyncpg.Record) -> News:
    """A row of the log as a model."""
    given: dict[str, Any] = {name: row[name] for name in ("at", "audience", "customer", "joined")}
    ids = row.get("ids") or ()
    return News(
        (row["transaction"], row["seq"]),
        ids=tuple(ExternalId(id["kind"], id["value"]) for id in ids),
        **given,
    )
