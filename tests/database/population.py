"""Customers of every sort in a database, for holding SQL against the evaluator."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from expressions import Facts, Needs
from storage.facts import facts_of
from tests.people import AUDIENCES, CHANNELS, JOURNEYS, NAMES, NOW, TOPICS, a_map, a_time


async def settle(db: asyncpg.Connection, seed: int, many: int) -> list[UUID]:
    """That many customers with events, messages, memberships and unsubscriptions."""
    chance = random.Random(seed)
    await db.execute(
        """
        CREATE TABLE IF NOT EXISTS audience_members (audience text, customer uuid,
            joined_at timestamptz NOT NULL, PRIMARY KEY (audience, customer));
        TRUNCATE customers, events, messages, unsubscriptions, audience_members
        """
    )
    ids = [UUID(int=chance.getrandbits(128)) for _ in range(many)]
    for number, id in enumerate(ids):
        attributes = {} if number == 0 else a_map(chance)
        await db.execute("INSERT INTO customers (id, attributes, created_at) VALUES ($1, $2, $3)",
                         id, attributes, NOW)  # fmt: skip
        messages = [await _message(db, chance, id) for _ in range(chance.choice([0, 0, 1, 2, 3]))]
        for name in NAMES:
            for _ in range(chance.choice([0, 0, 1, 1, 2, 3, 4])):
                await _event(db, chance, id, name, a_map(chance))
        for message in messages:
            if chance.random() < 0.5:
                kind = chance.choice(["Message Opened", "Message Clicked"])
                await _event(db, chance, id, kind, {"message_id": str(message)})
        await _standing(db, chance, id)
    await db.execute("INSERT INTO customers (id, attributes, created_at, erased_at) VALUES "
                     "($1, '{}', $2, $2)", UUID(int=1), NOW)  # fmt: skip
    await db.execute("INSERT INTO customers (id, attributes, created_at, merged_into) VALUES "
                     "($1, '{}', $2, $3)", UUID(int=2), NOW, ids[0])  # fmt: skip
    return ids


async def _event(
    db: asyncpg.Connection, chance: random.Random, id: UUID, name: str, properties: dict[str, Any]
) -> None:
    at = a_time(chance)
    received = at + timedelta(seconds=chance.choice([0, 0, 5, 86_400 * 40]))
    await db.execute(
        """
        INSERT INTO events (id, received_at, occurred_at, kind, name, message_id, customer,
                            properties, context)
        VALUES ($1, $2, $3, 'track', $4, 'm', $5, $6, '{}')
        """,
        UUID(int=chance.getrandbits(128)), received, at, name, id, properties,
    )  # fmt: skip


async def _message(db: asyncpg.Connection, chance: random.Random, id: UUID) -> UUID:
    message = UUID(int=chance.getrandbits(128))
    await db.execute(
        """
        INSERT INTO messages (id, instance, customer, journey, step, visit, channel, class, topic,
                              guarantee, state, at)
        VALUES ($1, $1, $2, $3, $4, 1, $5, 'marketing', $6, 'at_most_once', $7, $8)
        """,
        message, id, chance.choice(JOURNEYS), chance.choice("ab"), chance.choice(CHANNELS),
        chance.choice([None, *TOPICS]), chance.choice(["accepted", "skipped"]), a_time(chance),
    )  # fmt: skip
    return message


async def _standing(db: asyncpg.Connection, chance: random.Random, id: UUID) -> None:
    if chance.random() < 0.4:
        await db.execute("INSERT INTO audience_members VALUES ($1, $2, $3)",
                         chance.choice(AUDIENCES), id, NOW)  # fmt: skip
    if chance.random() < 0.5:
        await db.execute(
            "INSERT INTO unsubscriptions VALUES ($1, $2, $3, $4)",
            id, chance.choice([*CHANNELS, "*"]), chance.choice([*TOPICS, "*"]), NOW,
        )  # fmt: skip


async def everything(db: asyncpg.Connection, ids: list[UUID]) -> dict[UUID, Facts]:
    """All facts of these customers, as `storage` reads them."""
    needs = Needs(
        roots=frozenset(), events=frozenset(NAMES), steps=frozenset(), customer=frozenset(),
        audiences=frozenset(AUDIENCES), messages=frozenset({"*"}), subscriptions=True,
    )  # fmt: skip
    return await facts_of(db, ids, needs, NOW)
