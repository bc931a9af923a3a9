"""What customers do not want, and addresses that must not be written to again."""

from datetime import datetime
from uuid import UUID

from storage.pool import Db

EVERYTHING = "*"
BLANKS = " \t\r\n\f\v"  # around an address, no part of it


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


def hash_of(address: str, key: str) -> str:
    """SQL for the keyed hash of an address, as it is written to; both are SQL themselves."""
    return f"sha256({key} || convert_to(lower(btrim({address}, E' \\t\\r\\n\\f\\v')), 'UTF8'))"


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
        f"""
        INSERT INTO suppressions (channel, hash, reason, at)
        VALUES ($1, {hash_of("$3", "$2")}, $4, $5) ON CONFLICT DO NOTHING
        """,  # noqa: S608
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
