"""How an instance stands when an activity looks: all it has to know, in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


from expressions import PastEvent
from journeys.identity import CustomerId
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
        customer=CustomerId(instance), attributes={}, entry={},
        entry_event=instance, is_over=True, is_paused=False, step=None, exit=None, result=None,
    )


READ = """
    SELECT i.customer, c.attributes, i.entry, i.entry_event,
           (i.ended_at IS NOT NULL OR coalesce(i.entered_at <= j.stopped_at, false)
               OR c.erased_at IS NOT NULL) AS is_over,
           j.paused_at IS NOT NULL AS is_paused,
           t.step, t.exit, t.result
"""
FROM = """
    FROM instances i
    JOIN customers c ON c.id = i.customer
    JOIN journeys j ON j.name = i.journey
    LEFT JOIN trail t ON t.entered_at = $2 AND t.instance = i.id AND t.visit = $3
    WHERE i.id = $1
"""


async def read(
    connection: Db, instance: UUID, entered_at: datetime, visit: int
) -> Standing | None:
    """How the instance stands at `visit`."""
    row = await connection.fetchrow(READ + FROM, instance, entered_at, visit)
    return Standing(**row) if row else None


async def read_to_send(
    connection: Db,
    instance: UUID,
    entered_at: datetime,
    visit: int,
    channel: str,
    topic: str | None,
    address: str,
    secret: bytes,
    message: UUID,
) -> Standing | None:
    """The same with what forbids a message: an unsubscription, or a suppressed address.

    `address` names the attribute that holds it.
    """
    row = await connection.fetchrow(
        f"""
        {READ},
            EXISTS (
                SELECT FROM unsubscriptions u WHERE u.customer = i.customer
                AND u.channel IN ($4, '*') AND u.topic IN (coalesce($5, '*'), '*')
            ) AS is_unsubscribed,
            EXISTS (
                SELECT FROM suppressions s WHERE s.channel = $4 AND s.hash
                    = sha256($7 || convert_to(lower(c.attributes ->> $6), 'UTF8'))
            ) AS is_suppressed,
            (SELECT state FROM messages WHERE id = $8) AS message_state
        {FROM}
        """,  # noqa: S608
        instance, entered_at, visit, channel, topic, address, secret,
        message,
    )
    return Standing(**row) if row else None


async def history(
    connection: Db, customer: UUID, names: Sequence[str], until: datetime
) -> dict[str, list[PastEvent]]:
    """The customer's events of these names that occurred up to `until`, oldest first."""
    found: dict[str, list[PastEvent]] = {name: [] for name in names}
    rows = await connection.fetch(
        """
        SELECT name, occurred_at, properties FROM events
        WHERE customer = $1 AND name = ANY ($2::text[]) AND occurred_at <= $3
        ORDER BY occurred_at, received_at
        """,
        customer, list(names), until,
    )
    for row in rows:
        found[row["name"]].append(PastEvent(row["name"], row["occurred_at"], row["properties"]))
    return found
