"""Instances of broadcasts: whom a run's pages have entered, and how their messages are written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from journeys.identity import CustomerId
from storage.attempts import LEASE, LOCKED, MAY_SEND, Begin, Settle
from storage.instances import Instance, instance
from storage.pool import Db
from storage.trail import Visit


@dataclass(frozen=True, slots=True)
class Reader:
    """The customer of an instance, as a message to it is written.

    `topics` are pairs of a channel and a topic that it does not want, either may be `*`;
    `suppressed` the channels on which its address must not be written to.
    """

    customer: CustomerId
    attributes: Mapping[str, Any]
    topics: Collection[tuple[str, str]]
    suppressed: Collection[str]

    def wants_not(self, channel: str, topic: str) -> bool:
        """Whether it is unsubscribed from a topic on a channel."""
        return any(off in (channel, "*") and one in (topic, "*") for off, one in self.topics)


async def readers(
    connection: Db, instances: Sequence[UUID], addresses: Mapping[str, str], secret: bytes
) -> dict[UUID, Reader]:
    """The customers of these instances; `addresses` are the attributes that channels go by."""
    rows = await connection.fetch(
        """
        SELECT i.id, i.customer, c.attributes, u.channels, u.topics, s.channels AS suppressed
        FROM unnest($1::uuid[]) AS a (instance)
        CROSS JOIN LATERAL (
            SELECT n.id, n.customer FROM instances n WHERE n.id = a.instance LIMIT 1) i
        CROSS JOIN LATERAL (
            SELECT n.attributes FROM customers n WHERE n.id = i.customer LIMIT 1) c
        CROSS JOIN LATERAL (
            SELECT array_agg(n.channel) AS channels, array_agg(n.topic) AS topics
            FROM unsubscriptions n WHERE n.customer = i.customer) u
        CROSS JOIN LATERAL (
            SELECT array_agg(k.channel) AS channels
            FROM unnest($2::text[], $3::text[]) AS k (channel, attribute)
            JOIN suppressions n ON n.channel = k.channel AND n.hash
                = sha256($4 || convert_to(lower(c.attributes ->> k.attribute), 'UTF8'))) s
        """,
        list(instances),
        list(addresses),
        list(addresses.values()),
        secret,
    )
    return {
        row["id"]: Reader(
            row["customer"],
            row["attributes"],
            tuple(zip(row["channels"] or (), row["topics"] or (), strict=True)),
            row["suppressed"] or (),
        )
        for row in rows
    }


async def exchange(connection: Db, begins: Sequence[Begin], settles: Sequence[Settle]) -> set[UUID]:
    """Write what became of messages, and begin others; the messages that may be sent now.

    As `attempts.begin` and `attempts.settle` do it, without visits: a page writes those at its
    end. Doing it twice is harmless: what an attempt has begun is its own.
    """
    rows = await connection.fetch(
        f"""
        WITH settled AS (
            UPDATE messages m SET state = s.state, reason = s.reason, detail = s.detail,
                provider_id = s.provider_id, settled_at = s.at, lease_until = NULL
            FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                        $7::timestamptz[])
                AS s (id, attempt, state, reason, detail, provider_id, at)
            WHERE m.id = s.id AND m.attempt = s.attempt
              AND m.state IN ('sending', 'deferred', 'unknown')
        ), asked AS (
            SELECT * FROM unnest($8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::int[],
                                 $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
                                 $18::timestamptz[])
                AS b (id, instance, attempt, step, visit, channel, class, topic, guarantee,
                      provider, at)
            ORDER BY instance
        )
        INSERT INTO messages AS m (id, instance, customer, journey, step, visit, channel, class,
            topic, guarantee, state, attempt, attempts, lease_until, provider, at)
        SELECT a.id, a.instance, i.customer, i.journey, a.step, a.visit, a.channel, a.class,
               a.topic, a.guarantee, 'sending', a.attempt, 1, now() + $19, a.provider, a.at
        FROM asked a CROSS JOIN LATERAL {LOCKED} i
        WHERE {MAY_SEND}
        ON CONFLICT (id) DO UPDATE SET
            state = 'sending', attempt = excluded.attempt, attempts = m.attempts + 1,
            lease_until = excluded.lease_until, provider = excluded.provider, reason = NULL
        WHERE m.state = 'deferred'
           OR (m.state = 'unknown' AND m.guarantee = 'at_least_once')
           OR (m.state = 'sending' AND m.attempt = excluded.attempt)
        RETURNING id
        """,  # noqa: S608
        [one.id for one in settles],
        [one.attempt for one in settles],
        [one.state for one in settles],
        [one.reason for one in settles],
        [one.detail for one in settles],
        [one.provider_id for one in settles],
        [one.at for one in settles],
        [one.id for one in begins],
        [one.instance for one in begins],
        [one.attempt for one in begins],
        [one.step for one in begins],
        [one.visit for one in begins],
        [one.channel for one in begins],
        [one.class_ for one in begins],
        [one.topic for one in begins],
        [one.guarantee for one in begins],
        [one.provider for one in begins],
        [one.at for one in begins],
        LEASE,
    )
    return {row["id"] for row in rows}


async def left_behind(
    connection: Db, run: UUID, but: Sequence[UUID], age: timedelta, limit: int
) -> list[Instance]:
    """Open ones that were registered `age` ago, by the real clock, except those in `but`."""
    rows = await connection.fetch(
        """
        SELECT * FROM instances
        WHERE run = $1 AND paged AND ended_at IS NULL AND registered_at <= now() - $3::interval
          AND id <> ALL ($2::uuid[])
        ORDER BY id LIMIT $4
        """,
        run,
        list(but),
        age,
        limit,
    )
    return [instance(row) for row in rows]


async def has_open(connection: Db, run: UUID) -> bool:
    """Whether anybody whom the run entered has not come to the end."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM instances WHERE run = $1 AND paged AND ended_at IS NULL)",
            run,
        )
    )


async def hand_over(connection: Db, ids: Sequence[UUID]) -> list[Instance]:
    """From now on each of these has a workflow of its own; those that are still open."""
    rows = await connection.fetch(
        """
        UPDATE instances SET paged = false, started = false
        WHERE id = ANY ($1::uuid[]) AND paged AND ended_at IS NULL RETURNING *
        """,
        list(ids),
    )
    return [instance(row) for row in rows]


async def end_all(connection: Db, run: UUID, now: datetime, outcome: str) -> None:
    """End those who have not come to the end."""
    await connection.execute(
        """
        UPDATE instances SET ended_at = $2, outcome = $3
        WHERE run = $1 AND paged AND ended_at IS NULL
        """,
        run,
        now,
        outcome,
    )


async def close(connection: Db, visits: Sequence[Visit]) -> None:
    """Write down what a page has come to: its visits in order, and where each instance stands.

    As `trail.write` does it for visits that are over. What somebody else has written first stays.
    """
    stands = {one.instance: one for one in visits}.values()
    await connection.execute(
        """
        WITH written AS (
            INSERT INTO trail (entered_at, instance, visit, step, at, left_at, exit, result, why)
            SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::int[], $4::text[],
                $5::timestamptz[], $6::timestamptz[], $7::text[], $8::jsonb[], $9::jsonb[])
            ON CONFLICT DO NOTHING
        )
        UPDATE instances i SET visit = s.visit, position = s.position, outcome = s.outcome,
            ended_at = CASE WHEN s.outcome IS NOT NULL THEN s.at END
        FROM unnest($10::uuid[], $11::int[], $12::text[], $13::timestamptz[], $14::text[])
            AS s (instance, visit, position, at, outcome)
        WHERE i.id = s.instance AND i.ended_at IS NULL
        """,
        [one.entered_at for one in visits],
        [one.instance for one in visits],
        [one.visit for one in visits],
        [one.step for one in visits],
        [one.at for one in visits],
        [one.left_at for one in visits],
        [one.exit for one in visits],
        [one.result for one in visits],
        [one.why for one in visits],
        [one.instance for one in stands],
        [one.visit for one in stands],
        [one.position for one in stands],
        [one.left_at for one in stands],
        [one.outcome for one in stands],
    )
