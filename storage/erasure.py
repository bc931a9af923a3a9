"""Erasing a customer: every row goes, and a keyed hash of each external id stays behind."""

from datetime import datetime
from uuid import UUID

from storage.pool import Db


async def bury(connection: Db, customer: UUID, secret: bytes, now: datetime) -> None:
    """Leave tombstones: events that occurred before `now` do not bring the customer back."""
    await connection.execute(
        """
        INSERT INTO tombstones (hash, erased_at)
        SELECT sha256($2 || convert_to(kind || ':' || value, 'UTF8')), $3
        FROM external_ids WHERE customer = $1
        ON CONFLICT (hash) DO UPDATE SET erased_at = $3
        """,
        customer,
        secret,
        now,
    )


async def workflows(connection: Db, customer: UUID) -> list[str]:
    """The workflow ids of every instance the customer ever had."""
    rows = await connection.fetch(
        "SELECT DISTINCT workflow_id FROM instances WHERE customer = $1", customer
    )
    return [row["workflow_id"] for row in rows]


async def erase(connection: Db, customer: UUID) -> None:
    """Delete everything that is known of a customer.

    Unrouted events that name one of its ids go as well. Message ids stay, so that a repeat of an
    old event is still a repeat.
    """
    await connection.execute(
        """
        WITH RECURSIVE me AS (
            SELECT id FROM customers WHERE id = $1
            UNION SELECT c.id FROM me JOIN customers c ON c.merged_into = me.id
        ), mine AS (
            DELETE FROM external_ids WHERE customer IN (SELECT id FROM me) RETURNING kind, value
        ), insides AS (
            DELETE FROM instances WHERE customer IN (SELECT id FROM me) RETURNING id, entered_at
        ), walked AS (
            DELETE FROM trail t USING insides i
            WHERE t.entered_at = i.entered_at AND t.instance = i.id
        ), past AS (
            DELETE FROM events WHERE customer IN (SELECT id FROM me)
        ), waiting AS (
            DELETE FROM inbox b USING events e, mine m
            WHERE e.id = b.event AND e.received_at = b.received_at
              AND (m.kind = 'user_id' AND e.user_id = m.value
                   OR m.kind = 'anonymous_id' AND e.anonymous_id = m.value)
            RETURNING b.event, b.received_at
        ), unrouted AS (
            DELETE FROM events e USING waiting w
            WHERE e.id = w.event AND e.received_at = w.received_at AND e.customer IS NULL
        ), ledger AS (
            DELETE FROM messages WHERE customer IN (SELECT id FROM me)
        ), refused AS (
            DELETE FROM refusals WHERE customer IN (SELECT id FROM me)
        ), unwanted AS (
            DELETE FROM unsubscriptions WHERE customer IN (SELECT id FROM me)
        )
        DELETE FROM customers WHERE id IN (SELECT id FROM me)
        """,
        customer,
    )
