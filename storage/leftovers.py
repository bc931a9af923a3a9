"""Instances that lag behind what was decided about them: what housekeeping looks for."""

from collections.abc import Sequence
from datetime import datetime

from storage.instances import Instance, instance
from storage.pool import Db


async def unstarted(connection: Db, before: datetime, limit: int) -> list[Instance]:
    """Registered before `before`, never started, and no event in the inbox will do it."""
    rows = await connection.fetch(
        """
        SELECT i.* FROM instances i
        WHERE NOT i.started AND i.ended_at IS NULL AND i.registered_at < $1
          AND NOT EXISTS (SELECT FROM inbox b WHERE b.event = i.entry_event)
        ORDER BY i.registered_at LIMIT $2
        """,
        before,
        limit,
    )
    return [instance(row) for row in rows]


async def stopped(connection: Db, limit: int) -> list[Instance]:
    """Open instances that entered before their journey was stopped."""
    rows = await connection.fetch(
        """
        SELECT i.* FROM journeys j JOIN instances i ON i.journey = j.name
        WHERE j.stopped_at IS NOT NULL AND i.ended_at IS NULL AND i.entered_at <= j.stopped_at
        ORDER BY i.id LIMIT $1
        """,
        limit,
    )
    return [instance(row) for row in rows]


async def resumable(connection: Db, limit: int) -> list[Instance]:
    """Instances that are held back though their journey goes on."""
    rows = await connection.fetch(
        """
        SELECT i.* FROM instances i JOIN journeys j ON j.name = i.journey
        WHERE i.held AND i.ended_at IS NULL AND j.paused_at IS NULL ORDER BY i.id LIMIT $1
        """,
        limit,
    )
    return [instance(row) for row in rows]


async def open_of_workflows(connection: Db, workflow_ids: Sequence[str]) -> list[Instance]:
    """Open, started instances of these workflows."""
    rows = await connection.fetch(
        """
        SELECT * FROM instances
        WHERE workflow_id = ANY ($1::text[]) AND ended_at IS NULL AND NOT paged AND started
        """,
        list(workflow_ids),
    )
    return [instance(row) for row in rows]
