"""Events about the business: each once per message id."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.pool import Db


async def insert(
    connection: Db,
    id: UUID,
    name: str,
    message_id: str,
    occurred_at: datetime,
    received_at: datetime,
    properties: Mapping[str, Any],
) -> bool:
    """Keep an event; False if there was one with this id."""
    return bool(
        await connection.fetchval(
            """
            INSERT INTO business_events
                (id, name, message_id, occurred_at, received_at, properties)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true
            """,
            id,
            name,
            message_id,
            occurred_at,
            received_at,
            properties,
        )
    )


async def forget(connection: Db, limit: datetime) -> None:
    """Forget what was received before `limit`, and the runs that ended before it.

    A journey's last run stays: it says who is new for the next one.
    """
    await connection.execute(
        """
        WITH gone AS (DELETE FROM business_events WHERE received_at < $1)
        DELETE FROM runs r WHERE r.ended_at < $1 AND EXISTS (
            SELECT FROM runs l WHERE l.journey = r.journey AND l.new_until > r.new_until)
        """,
        limit,
    )
