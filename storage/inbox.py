"""Events that are accepted and not routed yet: claimed by shard, deleted when routed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from journeys.event import SHARDS, Event
from journeys.identity import ExternalId
from storage.events import event_of
from storage.moves import BEGUN
from storage.pool import Db

LOCKS = 0x7063  # the first key of the advisory locks; the second is the shard


@dataclass(frozen=True, slots=True)
class Claimed:
    """One unrouted event, its place in the inbox and how often it was tried."""

    seq: int
    shard: int
    linked_shard: int | None
    attempts: int
    event: Event


class News(NamedTuple):
    """The numbers of the last changes of journeys and of audiences."""

    journeys: int
    audiences: int


async def lock_shards(connection: Db, shards: Sequence[int]) -> list[int]:
    """Take what can be had of `shards` for this session, in ascending order."""
    rows = await connection.fetch(
        "SELECT shard FROM unnest($2::int[]) AS shard WHERE pg_try_advisory_lock($1, shard)",
        LOCKS,
        sorted(shards),
    )
    return [row["shard"] for row in rows]


async def unlock_shards(connection: Db, shards: Sequence[int]) -> None:
    """Give `shards` back."""
    await connection.execute(
        "SELECT pg_advisory_unlock($1, shard) FROM unnest($2::int[]) AS shard",
        LOCKS,
        list(shards),
    )


async def claim_shards(
    connection: Db, now: datetime, done: Sequence[int], held: Sequence[int], limit: int
) -> list[int]:
    """Give the shards `done` back, and take up to `limit` that have events to route.

    Those that this process `held` otherwise are left alone. Each shard is asked for, so that a
    backlog is not read.
    """
    rows = await connection.fetch(
        """
        WITH given_back AS MATERIALIZED (
            SELECT count(pg_advisory_unlock($1, shard)) FROM unnest($2::int[]) AS shard
        ), waiting AS MATERIALIZED (
            SELECT shard FROM generate_series(0, $6) AS s (shard)
            WHERE shard <> ALL ($3::int[]) AND EXISTS (
                SELECT FROM inbox i
                WHERE i.shard = s.shard AND (parked_until IS NULL OR parked_until <= $4)
            )
            LIMIT $5
        )
        SELECT shard FROM given_back, waiting WHERE pg_try_advisory_lock($1, shard)
        """,
        LOCKS,
        list(done),
        list(held),
        now,
        limit,
        SHARDS - 1,
    )
    return [row["shard"] for row in rows]


async def unrouted(
    connection: Db, shards: Sequence[int], now: datetime, limit: int
) -> tuple[list[Claimed], News]:
    """The oldest unrouted events of `shards` in order, and what is published by now."""
    rows = await connection.fetch(
        """
        SELECT i.seq, i.shard, i.linked_shard, i.attempts, e.*,
               (SELECT coalesce(max(changed), 0) FROM journeys) AS journeys,
               (SELECT coalesce(max(changed), 0) FROM audiences) AS audiences
        FROM (
            SELECT * FROM inbox
            WHERE shard = ANY ($1::int[]) AND (parked_until IS NULL OR parked_until <= $2)
            ORDER BY seq LIMIT $3
        ) i
        JOIN events e ON e.id = i.event AND e.received_at = i.received_at
        ORDER BY i.seq
        """,
        list(shards),
        now,
        limit,
    )
    claimed = [
        Claimed(row["seq"], row["shard"], row["linked_shard"], row["attempts"], event_of(row))
        for row in rows
    ]
    return claimed, News(rows[0]["journeys"], rows[0]["audiences"]) if rows else News(0, 0)


async def unrouted_of(
    connection: Db,
    ids: Sequence[ExternalId],
    shards: Sequence[int],
    names: Sequence[str],
) -> list[Event]:
    """The unrouted events with one of `names` that are about the owner of `ids`."""
    rows = await connection.fetch(
        """
        SELECT e.* FROM inbox i
        JOIN events e ON e.id = i.event AND e.received_at = i.received_at
        WHERE i.shard = ANY ($1::int[]) AND e.name = ANY ($2::text[])
          AND (e.user_id = ANY ($3::text[])
               OR e.user_id IS NULL AND e.anonymous_id = ANY ($4::text[]))
        ORDER BY i.seq
        """,
        list(shards),
        list(names),
        [id.value for id in ids if id.kind == "user_id"],
        [id.value for id in ids if id.kind == "anonymous_id"],
    )
    return [event_of(row) for row in rows]


async def routed(connection: Db, seqs: Sequence[int], started: Sequence[UUID] = ()) -> None:
    """These events are done, and these instances have their workflows."""
    await connection.execute(
        f"WITH begun AS ({BEGUN}) DELETE FROM inbox WHERE seq = ANY ($2::bigint[])",  # noqa: S608
        list(started),
        list(seqs),
    )


async def park(connection: Db, seq: int, until: datetime, error: str) -> None:
    """This one could not be routed: leave it until later, and say why."""
    await connection.execute(
        """
        UPDATE inbox SET attempts = attempts + 1, parked_until = $2, error = $3 WHERE seq = $1
        """,
        seq,
        until,
        error[:500],
    )


async def backlog(connection: Db) -> tuple[int, int]:
    """How many events are unrouted, and how many of them are parked."""
    rows = await connection.fetch(
        "SELECT count(*) AS all, count(*) FILTER (WHERE error IS NOT NULL) AS parked FROM inbox"
    )
    return rows[0]["all"], rows[0]["parked"]


async def is_older(connection: Db, than: datetime) -> bool:
    """Whether an event that was received by then is still to be routed (and is not parked)."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM inbox WHERE received_at <= $1 AND parked_until IS NULL)
            """,
            than,
        )
    )
