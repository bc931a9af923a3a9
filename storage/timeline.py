"""Everything that happened to one customer, and what did not, in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from storage import instances, messages
from storage.instances import Instance
from storage.messages import Message
from storage.pool import Db

LineKind = Literal["event", "membership", "refusal", "entry", "step", "message", "goal", "end"]
Order = Literal["newest", "oldest"]
Place = tuple[datetime, int, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened; `rank` and `ref` order what happened at one instant.

    `name` is that of the event, audience or step; `state` whether it was joined or left, the exit,
    the message's state, or the outcome.
    """

    at: datetime
    rank: int
    ref: str
    kind: LineKind
    journey: str | None
    instance: UUID | None
    name: str | None
    state: str | None
    until: datetime | None
    reason: str | None
    detail: Mapping[str, Any] | None
    run: UUID | None


# Each arm reads the rows of one customer by an index that begins with the customer.
LINES = """
    SELECT occurred_at AS at, 0 AS rank, id::text AS ref, 'event' AS kind, NULL AS journey,
           NULL::uuid AS instance, name, e.kind AS state, NULL::timestamptz AS until,
           NULL AS reason, properties AS detail, NULL::uuid AS run
    FROM events e WHERE customer = $1
    UNION ALL
    SELECT at, 0, 'membership/' || lpad(seq::text, 19, '0'), 'membership', NULL, NULL, audience,
           CASE WHEN joined THEN 'joined' ELSE 'left' END, NULL, NULL, why, NULL
    FROM audience_history WHERE customer = $1 AND transaction IS NOT NULL
    UNION ALL
    SELECT r.at, 1, r.event || '/' || r.journey, 'refusal', r.journey, NULL,
           (SELECT name FROM events e WHERE e.customer = $1 AND e.id = r.event LIMIT 1), NULL, NULL,
           r.reason, r.why, r.run
    FROM refusals r WHERE r.customer = $1
    UNION ALL
    SELECT entered_at, 2, id::text, 'entry', journey, id, NULL, NULL, NULL, NULL, entry, run
    FROM instances WHERE customer = $1
    UNION ALL
    SELECT t.at, 3, t.instance || '/' || lpad(t.visit::text, 9, '0'), 'step', i.journey, i.id,
           t.step, t.exit, t.left_at, NULL,
           nullif(jsonb_strip_nulls(jsonb_build_object('result', t.result, 'why', t.why)), '{}'),
           NULL
    FROM instances i JOIN trail t ON t.entered_at = i.entered_at AND t.instance = i.id
    WHERE i.customer = $1
    UNION ALL
    SELECT at, 4, id::text, 'message', journey, instance, step, state, settled_at, reason,
           jsonb_strip_nulls(jsonb_build_object('channel', channel, 'topic', topic, 'class', class,
                                                'provider', provider, 'detail', detail)), NULL
    FROM messages WHERE customer = $1
    UNION ALL
    SELECT goal_at, 5, id::text, 'goal', journey, id, NULL, NULL, NULL, NULL,
           jsonb_build_object('event', goal_event), NULL
    FROM instances WHERE customer = $1 AND goal_at IS NOT NULL
    UNION ALL
    SELECT ended_at, 6, id::text, 'end', journey, id, position, outcome, NULL, NULL,
           CASE WHEN outcome <> 'completed' THEN why END, NULL
    FROM instances WHERE customer = $1 AND ended_at IS NOT NULL
"""


async def lines(
    connection: Db, customer: UUID, order: Order, after: Place | None, limit: int
) -> list[Line]:
    """What happened to a customer, a page at a time."""
    comparison, direction = ("<", "DESC") if order == "newest" else (">", "ASC")
    at, rank, ref = after or (None, None, None)
    rows = await connection.fetch(
        f"""
        SELECT * FROM ({LINES}) l
        WHERE $2::timestamptz IS NULL OR (at, rank, ref) {comparison} ($2, $3::int, $4::text)
        ORDER BY at {direction}, rank {direction}, ref {direction} LIMIT $5
        """,  # noqa: S608
        customer,
        at,
        rank,
        ref,
        limit,
    )
    return [Line(**row) for row in rows]


async def passages(
    connection: Db, customer: UUID, journey: str | None, limit: int
) -> list[Instance]:
    """A customer's instances, the latest entry first."""
    rows = await connection.fetch(
        """
        SELECT * FROM instances WHERE customer = $1 AND ($2::text IS NULL OR journey = $2)
        ORDER BY entered_at DESC, id LIMIT $3
        """,
        customer,
        journey,
        limit,
    )
    return [instances.instance(row) for row in rows]


async def messages_of(connection: Db, customer: UUID, ids: Sequence[UUID]) -> list[Message]:
    """The messages of these instances of a customer, in the order they were made."""
    rows = await connection.fetch(
        """
        SELECT * FROM messages WHERE customer = $1 AND instance = ANY ($2::uuid[])
        ORDER BY at, visit, id
        """,
        customer,
        list(ids),
    )
    return [messages.row(row) for row in rows]


async def names(connection: Db, customer: UUID, events: Sequence[UUID]) -> dict[UUID, str]:
    """What these events of a customer are called."""
    rows = await connection.fetch(
        "SELECT id, name FROM events WHERE customer = $1 AND id = ANY ($2::uuid[])",
        customer,
        list(events),
    )
    return {row["id"]: row["name"] for row in rows}


async def last_seen(connection: Db, customer: UUID, names: Sequence[str]) -> dict[str, datetime]:
    """When a customer's last event of each of these names occurred."""
    rows = await connection.fetch(
        """
        SELECT name, max(occurred_at) AS last FROM events
        WHERE customer = $1 AND name = ANY ($2::text[]) GROUP BY name
        """,
        customer,
        list(names),
    )
    return {row["name"]: row["last"] for row in rows}


async def everything(connection: Db, customer: UUID) -> dict[str, list[dict[str, Any]]]:
    """Every row about a customer, by table."""
    found = await connection.fetchval(
        """
        SELECT jsonb_build_object(
            'unsubscriptions', (
                SELECT jsonb_agg(to_jsonb(u) - 'customer' ORDER BY at)
                FROM unsubscriptions u WHERE customer = $1),
            'events', (
                SELECT jsonb_agg(to_jsonb(e) - 'customer' ORDER BY occurred_at, received_at)
                FROM events e WHERE customer = $1),
            'instances', (
                SELECT jsonb_agg(to_jsonb(i) - 'customer' ORDER BY entered_at)
                FROM instances i WHERE customer = $1),
            'trail', (
                SELECT jsonb_agg(to_jsonb(t) ORDER BY t.entered_at, t.instance, t.visit)
                FROM instances i JOIN trail t
                    ON t.entered_at = i.entered_at AND t.instance = i.id
                WHERE i.customer = $1),
            'messages', (
                SELECT jsonb_agg(to_jsonb(m) - 'customer' ORDER BY at)
                FROM messages m WHERE customer = $1),
            'refusals', (
                SELECT jsonb_agg(to_jsonb(r) - 'customer' ORDER BY at)
                FROM refusals r WHERE customer = $1),
            'memberships', (
                SELECT jsonb_agg(to_jsonb(m) - '{customer,seq,transaction}'::text[]
                                 ORDER BY audience)
                FROM audience_members m WHERE customer = $1),
            'membership_changes', (
                SELECT jsonb_agg(to_jsonb(c) - '{customer,seq,transaction}'::text[]
                                 ORDER BY at, seq)
                FROM audience_history c
                WHERE customer = $1 AND transaction IS NOT NULL)
        )
        """,
        customer,
    )
    return {table: rows or [] for table, rows in found.items()}
