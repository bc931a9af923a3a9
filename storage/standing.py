"""How an instance stands when an activity looks: all it has to know, in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from expressions import PastEvent
from journeys.identity import CustomerId
from storage.consent import hash_of
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Standing:
    """An instance, its customer and its journey at one moment; `exit` and `result` of the visit."""

    customer: CustomerId
    attributes: Mapping[str, Any]
    entry: Mapping[str, Any]
    entry_event: UUID
    is_over: bool
    is_paused: bool
    step: str | None
    exit: str | None
    result: Mapping[str, Any] | None
    is_unsubscribed: bool = False
    is_suppressed: bool = False
    message_state: str | None = None


def gone(instance: UUID) -> Standing:
    """An instance that is no longer in the database: erased with its customer."""
    return Standing(
        customer=CustomerId(instance),
        attributes={},
        entry={},
        entry_event=instance,
        is_over=True,
        is_paused=False,
        step=None,
        exit=None,
        result=None,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at: a visit, and of a message what forbids it.

    `address` names the attribute that holds the customer's address on the channel.
    """

    instance: UUID
    entered_at: datetime
    visit: int
    channel: str | None = None
    topic: str | None = None
    address: str | None = None
    message: UUID | None = None


async def read(connection: Db, looks: Sequence[Look], secret: bytes) -> list[Standing]:
    """How instances stand, in the order asked; `gone` where there is none."""
    hashed = hash_of("c.attributes ->> l.address", "$2")
    rows = await connection.fetch(
        f"""
        SELECT l.instance, l.visit AS asked, i.customer, c.attributes, i.entry, i.entry_event,
               (i.ended_at IS NOT NULL OR coalesce(i.entered_at <= j.stopped_at, false))
                   AS is_over,
               (j.paused_at IS NOT NULL OR coalesce(r.state, 'running') <> 'running') AS is_paused,
               t.step, t.exit, t.result,
               l.channel IS NOT NULL AND EXISTS (
                   SELECT FROM unsubscriptions u WHERE u.customer = i.customer
                   AND u.channel IN (l.channel, '*') AND u.topic IN (coalesce(l.topic, '*'), '*')
               ) AS is_unsubscribed,
               l.address IS NOT NULL AND EXISTS (
                   SELECT FROM suppressions s WHERE s.channel = l.channel AND s.hash = {hashed}
               ) AS is_suppressed,
               m.state AS message_state
        FROM jsonb_to_recordset($1) AS l (
            instance uuid, entered_at timestamptz, visit int, channel text, topic text,
            address text, message uuid)
        CROSS JOIN LATERAL (SELECT * FROM instances n WHERE n.id = l.instance LIMIT 1) i
        CROSS JOIN LATERAL (SELECT attributes FROM customers n WHERE n.id = i.customer LIMIT 1) c
        JOIN journeys j ON j.name = i.journey
        LEFT JOIN runs r ON i.paged AND r.id = i.run
        LEFT JOIN LATERAL (
            SELECT step, exit, result FROM trail n WHERE n.entered_at = l.entered_at
            AND n.instance = l.instance AND n.visit = l.visit LIMIT 1
        ) t ON true
        LEFT JOIN LATERAL (SELECT state FROM messages n WHERE n.id = l.message LIMIT 1) m ON true
        """,  # noqa: S608
        list(looks),
        secret,
    )
    found = {(row["instance"], row["asked"]): standing(row) for row in rows}
    return [found.get((look.instance, look.visit)) or gone(look.instance) for look in looks]


def standing(row: asyncpg.Record) -> Standing:
    """A row of `read` as a model."""
    return Standing(**{name: row[name] for name in Standing.__slots__})


async def history(
    connection: Db, customer: UUID, names: Sequence[str], until: datetime
) -> dict[str, list[PastEvent]]:
    """The customer's events of these names that occurred up to `until`, oldest first."""
    found: dict[str, list[PastEvent]] = {name: [] for name in names}
    rows = await connection.fetch(
        """
        SELECT name, occurred_at, properties FROM events
        WHERE customer = $1 AND name = ANY ($2::text[]) AND occurred_at <= $3
        ORDER BY occurred_at, received_at, id
        """,
        customer,
        list(names),
        until,
    )
    for row in rows:
        found[row["name"]].append(PastEvent(row["name"], row["occurred_at"], row["properties"]))
    return found
