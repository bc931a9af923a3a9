"""Stores events at a rate, as the API would: the same in the same order for one seed.

python -m bench.sender URL CUSTOMERS RATE SECONDS SEED
"""

import asyncio
import random
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

import uvloop

from journeys.event import Event, event_id
from storage import events
from storage.notify import Bell
from storage.pool import pool as open_pool

BATCH = 100
NAMES = ("Order Completed", "Order Cancelled", "Product Viewed", "Product Added")


async def send(url: str, customers: int, rate: float, seconds: float, seed: int) -> None:
    """Each batch when it is due, or as soon as can be."""
    async with open_pool(url, 2) as pool:
        bell, chance, sent, begun = Bell(pool), random.Random(seed), 0, time.perf_counter()
        while (elapsed := time.perf_counter() - begun) < seconds:
            if sent > elapsed * rate:
                await asyncio.sleep(0.002)
                continue
            await events.insert(pool, [made(chance, customers) for _ in range(BATCH)])
            bell.ring()
            sent += BATCH
        await bell.rest()


def made(chance: random.Random, customers: int) -> Event:
    """An event of some customer."""
    message, now = uuid4().hex, datetime.now(UTC)
    return Event(
        id=event_id(message),
        received_at=now,
        occurred_at=now,
        kind="track",
        name=chance.choice(NAMES),
        message_id=message,
        user_id=f"c{chance.randrange(customers) + 1}",
        anonymous_id=None,
        properties={"total": round(chance.uniform(5, 200), 2)},
        context={},
    )


if __name__ == "__main__":
    url, customers, rate, seconds, seed = sys.argv[1:]
    uvloop.run(send(url, int(customers), float(rate), float(seconds), int(seed)))
