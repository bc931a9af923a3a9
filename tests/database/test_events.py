"""Each event once, whoever brings it, and no deadlock on the way."""

import asyncio
import random
from datetime import UTC, datetime

import asyncpg

from journeys.event import Event, event_id, shard_of
from storage import events
from storage.notify import CHANNEL, Bell
from storage.pool import Pool, pool

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def an_event(message_id: str, user: str = "u1", anonymous: str | None = None) -> Event:
    return Event(
        id=event_id(message_id),
        received_at=NOW,
        occurred_at=NOW,
        kind="track",
        name="Tested",
        message_id=message_id,
        user_id=user,
        anonymous_id=anonymous,
        properties={"number": 1.5, "text": "é"},
        context={},
    )


async def counts(db: Pool) -> tuple[int, int, int]:
    return tuple([
        await db.fetchval(f"SELECT count(*) FROM {t}") for t in ("events", "message_ids", "inbox")
    ])


async def test_an_event_is_stored_and_put_before_the_router(db: Pool) -> None:
    event = an_event("m1", "u1", "a1")

    async with db.acquire() as connection:
        new = await events.insert(connection, [event])

    row = await db.fetchrow("SELECT * FROM events")
    assert row is not None
    assert new == {event.id}
    assert (row["properties"], row["name"], row["occurred_at"]) == (event.properties, "Tested", NOW)
    waiting = await db.fetchrow("SELECT * FROM inbox")
    assert waiting is not None
    assert (waiting["shard"], waiting["linked_shard"]) == (shard_of("u1"), shard_of("a1"))


async def test_an_event_that_is_not_to_be_routed_is_only_history(db: Pool) -> None:
    async with db.acquire() as connection:
        await events.insert(connection, [an_event("m1")], route=False)

    assert await counts(db) == (1, 1, 0)


async def test_the_inbox_keeps_the_order_of_the_batch(db: Pool) -> None:
    batch = [an_event(f"m{number}") for number in range(50)]

    async with db.acquire() as connection:
        await events.insert(connection, batch)

    rows = await db.fetch("SELECT event FROM inbox ORDER BY seq")
    assert [row["event"] for row in rows] == [event.id for event in batch]


async def test_the_first_of_a_batch_wins(db: Pool) -> None:
    async with db.acquire() as connection:
        await events.insert(connection, [an_event("m1", "first"), an_event("m1", "second")])
        again = await events.insert(connection, [an_event("m1", "third")])

    assert again == set()
    assert await db.fetchval("SELECT string_agg(user_id, '') FROM events") == "first"


async def test_overlapping_batches_in_opposite_orders_lose_and_double_nothing(
    database_url: str, db: Pool
) -> None:
    names = [f"m{number}" for number in range(600)]
    chance = random.Random(7)
    new: list[set[object]] = []

    async def send(connections: Pool, turn: int) -> None:
        chosen = chance.sample(names, 300)
        batch = [an_event(name, f"u{turn}", name) for name in sorted(chosen, reverse=turn % 2 == 0)]
        async with connections.acquire() as connection:
            new.append(set(await events.insert(connection, batch)))

    async with pool(database_url, 8) as one, pool(database_url, 8) as other:
        await asyncio.gather(*(send((one, other)[turn % 2], turn) for turn in range(40)))

    sent = set().union(*new)
    assert sum(map(len, new)) == len(sent)
    assert await counts(db) == (len(sent), len(sent), len(sent))
    assert await db.fetchval("SELECT count(DISTINCT event) FROM inbox") == len(sent)


async def test_a_bell_rings_and_many_rings_become_few(database_url: str, db: Pool) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(database_url)
    await listener.add_listener(CHANNEL, lambda *said: heard.append(said[2]))
    bell = Bell(db)

    for _ in range(100):
        bell.ring()
    await bell.rest()
    await listener.execute("SELECT 1")

    await listener.close()
    assert 1 <= len(heard) <= 2
