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


async def say_goodbye(connection: Db, customer: UUID, now: datetime) -> None:
    """Have followers of the changes told that the customer left every audience it was in.

    Also those it had left before, where a subscriber was not told that yet. Subscribers know it by
    its external ids, which are kept with that until they were told; without subscribers they are
    not.
    """
    await connection.execute(
        """
        WITH RECURSIVE me AS (
            SELECT id FROM customers WHERE id = $1
            UNION SELECT c.id FROM me JOIN customers c ON c.merged_into = me.id
        ), superseded AS (
            DELETE FROM audience_notices WHERE customer IN (SELECT id FROM me)
        ), ids AS (
            SELECT jsonb_agg(jsonb_build_object('kind', kind, 'value', value)
                             ORDER BY kind DESC, value) AS ids
            FROM external_ids WHERE customer IN (SELECT id FROM me)
        ), untold AS (
            SELECT c.audience FROM audience_history c
            WHERE c.customer IN (SELECT id FROM me) AND c.transaction IS NOT NULL AND EXISTS (
                SELECT FROM subscriptions s
                LEFT JOIN subscription_retries r
                    ON r.subscription = s.id AND r.transaction = c.transaction AND r.seq = c.seq
                WHERE s.stopped_at IS NULL
                  AND (r.seq IS NOT NULL OR (c.transaction, c.seq) > (s.transaction, s.seq)))
        ), left_now AS (
            SELECT audience FROM audience_members WHERE customer IN (SELECT id FROM me)
            UNION SELECT audience FROM untold
        )
        INSERT INTO audience_notices (at, audience, customer, joined, ids)
        SELECT $2::timestamptz, l.audience, $1::uuid, false, CASE WHEN EXISTS (
            SELECT FROM subscriptions s WHERE s.stopped_at IS NULL
              AND (cardinality(s.audiences) = 0 OR l.audience = ANY (s.audiences))
        ) THEN ids.ids END
        FROM left_now l, ids ORDER BY l.audience
        """,
        customer,
        now,
    )


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
        ), inside AS (
            DELETE FROM audience_members WHERE customer IN (SELECT id FROM me)
        ), changes AS (
            DELETE FROM audience_changes WHERE customer IN (SELECT id FROM me)
        ), checks AS (
            DELETE FROM audience_checks WHERE customer IN (SELECT id FROM me)
        ), queued AS (
            DELETE FROM audience_queue WHERE customer IN (SELECT id FROM me)
        ), retries AS (
            DELETE FROM subscription_retries WHERE customer IN (SELECT id FROM me)
        )
        DELETE FROM customers WHERE id IN (SELECT id FROM me)
        """,
        customer,
    )
