"""What conditions may ask about customers, read for many of them in a few statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from expressions import EVERYTHING, Facts, Needs, PastEvent, PastMessage
from expressions.facts import CLICKED, OPENED
from storage.pool import Db


async def facts_of(
    connection: Db,
    customers: Sequence[UUID],
    needs: Needs,
    now: datetime,
    *,
    since: datetime | None = None,
    attributes: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> dict[UUID, Facts]:
    """What is known of these customers at that time, as far as it is needed.

    Of events, those after `since` if it is given: no event is received before it occurs, so that
    older partitions are not opened. Their `attributes` are read if the caller does not have them.
    """
    ids = list(customers)
    if attributes is None:
        attributes = await _attributes(connection, ids)
    history = await _history(connection, ids, needs, since, now) if needs.events else {}
    audiences = await _audiences(connection, ids, needs) if needs.audiences else None
    messages = await _messages(connection, ids, needs, now) if needs.messages else None
    unwanted = await _unwanted(connection, ids) if needs.subscriptions else None
    return {
        id: Facts(
            now=now,
            customer=attributes[id],
            history=history.get(id, {}),
            audiences=None if audiences is None else audiences.get(id, ()),
            messages=None if messages is None else messages.get(id, ()),
            unsubscriptions=None if unwanted is None else unwanted.get(id, ()),
        )
        for id in ids
        if id in attributes
    }


async def completed(connection: Db, facts: Facts, customer: UUID, needs: Needs) -> Facts:
    """The facts with what is needed beyond attributes, events and steps."""
    ids, now = [customer], facts.now
    if needs.audiences:
        found = await _audiences(connection, ids, needs)
        facts = replace(facts, audiences=found.get(customer, ()))
    if needs.messages:
        sent = await _messages(connection, ids, needs, now)
        facts = replace(facts, messages=sent.get(customer, ()))
    if needs.subscriptions:
        unwanted = await _unwanted(connection, ids)
        facts = replace(facts, unsubscriptions=unwanted.get(customer, ()))
    return facts


async def _attributes(connection: Db, ids: list[UUID]) -> dict[UUID, Mapping[str, Any]]:
    rows = await connection.fetch(
        """
        SELECT id, attributes FROM customers
        WHERE id = ANY ($1::uuid[]) AND merged_into IS NULL AND erased_at IS NULL
        """,
        ids,
    )
    return {row["id"]: row["attributes"] for row in rows}


async def _history(
    connection: Db, ids: list[UUID], needs: Needs, since: datetime | None, now: datetime
) -> dict[UUID, dict[str, list[PastEvent]]]:
    rows = await connection.fetch(
        """
        SELECT customer, name, occurred_at, properties FROM events
        WHERE customer = ANY ($1::uuid[]) AND name = ANY ($2::text[]) AND occurred_at <= $3
          AND occurred_at > coalesce($4::timestamptz, '-infinity')
          AND received_at > coalesce($4::timestamptz, '-infinity')
        ORDER BY occurred_at, received_at, id
        """,
        ids,
        sorted(needs.events),
        now,
        since,
    )
    found: dict[UUID, dict[str, list[PastEvent]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        event = PastEvent(row["name"], row["occurred_at"], row["properties"])
        found[row["customer"]][row["name"]].append(event)
    return found


async def _audiences(connection: Db, ids: list[UUID], needs: Needs) -> dict[UUID, set[str]]:
    rows = await connection.fetch(
        """
        SELECT customer, audience FROM audience_members
        WHERE customer = ANY ($1::uuid[]) AND audience = ANY ($2::text[])
        """,
        ids,
        sorted(needs.audiences),
    )
    found: dict[UUID, set[str]] = defaultdict(set)
    for row in rows:
        found[row["customer"]].add(row["audience"])
    return found


async def _messages(
    connection: Db, ids: list[UUID], needs: Needs, now: datetime
) -> dict[UUID, list[PastMessage]]:
    journeys = None if EVERYTHING in needs.messages else sorted(needs.messages)
    rows = await connection.fetch(
        """
        SELECT m.customer, m.journey, m.step, m.channel, m.topic, m.state, m.at,
               r.opened_at, r.clicked_at
        FROM messages m LEFT JOIN LATERAL (
            SELECT min(e.occurred_at) FILTER (WHERE e.name = $4) AS opened_at,
                   min(e.occurred_at) FILTER (WHERE e.name = $5) AS clicked_at
            FROM events e
            WHERE e.customer = m.customer AND e.name IN ($4, $5) AND e.occurred_at <= $3
              AND e.properties ->> 'message_id' = m.id::text
        ) r ON true
        WHERE m.customer = ANY ($1::uuid[]) AND ($2::text[] IS NULL OR m.journey = ANY ($2))
          AND m.at <= $3
        ORDER BY m.at, m.id
        """,
        ids,
        journeys,
        now,
        OPENED,
        CLICKED,
    )
    found: dict[UUID, list[PastMessage]] = defaultdict(list)
    for row in rows:
        values = dict(row)
        found[values.pop("customer")].append(PastMessage(**values))
    return found


async def _unwanted(connection: Db, ids: list[UUID]) -> dict[UUID, set[tuple[str, str]]]:
    rows = await connection.fetch(
        "SELECT customer, channel, topic FROM unsubscriptions WHERE customer = ANY ($1::uuid[])",
        ids,
    )
    found: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        found[row["customer"]].add((row["channel"], row["topic"]))
    return found
