"""How many events a second have customers judged, with 50 audiences published, and how late."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from audiences.definition import AUDIENCE
from clock import Clock
from journeys.event import Event, event_id
from routing.catalogs import Catalogs
from routing.evaluating import Evaluation
from routing.qualifier import Qualifier
from routing.registry import Registry
from routing.round import Round
from routing.router import Router
from storage import audiences, events
from storage.members import Change
from storage.notify import Bell
from storage.pool import Db, Pool

AUDIENCES = 50
SECONDS = 20.0
RATE = 3_500  # events a second
BATCH = 250


def definition(number: int) -> dict[str, Any]:
    """One of many rules: by attributes, by orders, by orders in a window, by other audiences."""
    when = (
        f"customer.worth > {number * 20}.0",
        f'events("Order Completed").size() >= {number % 7 + 1}',
        f'events("Order Completed", days({number + 7})).size() >= {number % 4 + 1}',
        f'sum(events("Order Completed", days(90)).map(e, e.total)) > {number * 10}.0',
        f'events("Order Cancelled", days({number + 3})).size() >= 1 && customer.plan == "pro"',
    )
    return {"audience": f"rule-{number}", "kind": "rule", "when": when[number % len(when)]}


async def streamed(
    pool: Pool, url: str, customers: int, note: Callable[[str], None]
) -> dict[str, float]:
    """Events a second and, of those who joined or left, the seconds from their event to that."""
    now = datetime.now(UTC)
    for number in range(AUDIENCES):
        audience = AUDIENCE.validate_python(definition(number))
        await audiences.publish(pool, audience, str(number), now - timedelta(minutes=1))
    catalogs, clock, registry = Catalogs(), Clock(), Registry()
    begun = time.perf_counter()
    evaluation = Evaluation(url, pool, catalogs, clock)
    for row in await audiences.listed(pool):
        await evaluation.find(row, clock.now())
    found = time.perf_counter() - begun
    note(f"members of {AUDIENCES} audiences found in {found:.1f} s")

    async def tell(db: Db, changes: Sequence[Change]) -> bool:
        return False

    round = Round(pool, registry, None, clock, b"bench", timedelta(days=1), catalogs)  # type: ignore[arg-type]  # no journey is published, so nobody speaks to the engine
    bell = Bell(pool)
    jobs = [
        asyncio.create_task(one)
        for one in (
            Router(url, round).run(),
            Qualifier(pool, catalogs, clock, tell, bell.ring).run(),
        )
    ]
    sent = await send(pool, bell, customers)
    begun = time.perf_counter()
    while await pool.fetchval(
        "SELECT EXISTS (SELECT FROM inbox) OR EXISTS (SELECT FROM audience_queue)"
    ):
        await asyncio.sleep(0.02)
    left = time.perf_counter() - begun
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    late = await pool.fetchrow(
        """
        SELECT count(*) AS many,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY late) AS p50,
               percentile_cont(0.99) WITHIN GROUP (ORDER BY late) AS p99
        FROM (
            SELECT extract(epoch FROM c.at - e.received_at)::float8 AS late
            FROM audience_changes c JOIN events e ON e.id = (c.why ->> 'event')::uuid
            WHERE c.why ? 'event'
        ) x
        """
    )
    assert late is not None
    return {
        "found_all_s": found,
        "streamed_per_s": sent / (SECONDS + left),
        "streamed_left_s": left,
        "changes": float(late["many"]),
        "changes_p50_ms": (late["p50"] or 0) * 1e3,
        "changes_p99_ms": (late["p99"] or 0) * 1e3,
    }


async def send(pool: Pool, bell: Bell, customers: int) -> int:
    """Store events at the rate, as the API would; how many."""
    chance, sent, begun = random.Random(7), 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < SECONDS:
        if sent > elapsed * RATE:
            await asyncio.sleep(0.005)
            continue
        await events.insert(pool, [made(chance, customers) for _ in range(BATCH)])
        bell.ring()
        sent += BATCH
    return sent


def made(chance: random.Random, customers: int) -> Event:
    """An event of some customer."""
    message, now = uuid4().hex, datetime.now(UTC)
    name = chance.choice(("Order Completed", "Order Cancelled", "Product Viewed", "Product Added"))
    return Event(
        id=event_id(message),
        received_at=now,
        occurred_at=now,
        kind="track",
        name=name,
        message_id=message,
        user_id=f"c{chance.randrange(customers) + 1}",
        anonymous_id=None,
        properties={"total": round(chance.uniform(5, 200), 2)},
        context={},
    )
