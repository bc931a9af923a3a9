"""Instances of broadcasts: whom a run's pages have entered, and who reads their messages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from journeys.identity import CustomerId
from storage.consent import hash_of
from storage.instances import Instance, instance
from storage.pool import Db


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
    hashed = hash_of("c.attributes ->> k.attribute", "$4")
    rows = await connection.fetch(
        f"""
        SELECT i.id, i.customer, c.attributes,
               nullif(ARRAY(SELECT ARRAY[n.channel, n.topic] FROM unsubscriptions n
                            WHERE n.customer = i.customer), '{{}}') AS topics,
               nullif(ARRAY(
                   SELECT k.channel FROM unnest($2::text[], $3::text[]) AS k (channel, attribute)
                   JOIN suppressions n ON n.channel = k.channel AND n.hash = {hashed}
               ), '{{}}') AS suppressed
        FROM instances i JOIN customers c ON c.id = i.customer
        WHERE i.id = ANY ($1::uuid[])
        """,  # noqa: S608
        list(instances),
        list(addresses),
        list(addresses.values()),
        secret,
    )
    return {
        row["id"]: Reader(
            row["customer"],
            row["attributes"],
            [(channel, topic) for channel, topic in row["topics"] or ()],
            row["suppressed"] or (),
        )
        for row in rows
    }


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
