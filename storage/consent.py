"""What customers do not want, and addresses that must not be written to again."""

from datetime import datetime
from uuid import UUID

from storage.pool import Db

EVERYTHING = "*"


async def unsubscribe(
    connection: Db, customer: UUID, channel: str, topic: str, at: datetime
) -> None:
    """The customer wants nothing of `topic` over `channel`; `*` stands for all of either."""
    await connection.execute(
        """
        INSERT INTO unsubscriptions (customer, channel, topic, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING
        """,
        customer,
        channel,
        topic,
        at,
    )


async def subscribe(connection: Db, customer: UUID, channel: str, topic: str) -> None:
    """The customer wants `topic` over `channel` again."""
    await connection.execute(
        """
        DELETE FROM unsubscriptions
        WHERE customer = $1 AND $2 IN (channel, '*') AND $3 IN (topic, '*')
        """,
        customer,
        channel,
        topic,
    )


async def suppress(
    connection: Db,
    channel: str,
    address: str,
    secret: bytes,
    reason: str,
    at: datetime,
) -> None:
    """Never write to this address again; only its keyed hash is kept."""
    await connection.execute(
        """
        INSERT INTO suppressions (channel, hash, reason, at)
        VALUES ($1, sha256($2 || convert_to(lower($3), 'UTF8')), $4, $5) ON CONFLICT DO NOTHING
        """,
        channel,
        secret,
        address,
        reason,
        at,
    )


async def unwanted(connection: Db, customer: UUID) -> list[tuple[str, str, datetime]]:
    """What the customer does not want: channel, topic, and since when."""
    rows = await connection.fetch(
        """
        SELECT channel, topic, at FROM unsubscriptions WHERE customer = $1
        ORDER BY channel, topic
        """,
        customer,
    )
    return [(row["channel"], row["topic"], row["at"]) for row in rows]
