"""Rule 11: events that link ids in opposite orders, by two routers: nothing lost, nothing twice."""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import replace

from journeys.event import Event
from routing.router import Router
from storage import events
from storage.pool import pool
from tests.live.system import System, event

PEOPLE = 30
EVENTS = 240
BATCH = 12
BY_NUMBER = {
    "journey": "linked",
    "entry": {"event": "Tested", "key": "event.number"},
    "steps": [{"id": "rest", "kind": "wait", "duration": "1d"}],
}


def linking(rng: random.Random) -> list[Event]:
    """Events that tie few ids together in every order, one in ten of them for ever."""
    made = []
    for number in range(EVENTS):
        user, other = (f"id-{one}" for one in rng.sample(range(PEOPLE), 2))
        if number % 10 == 0:
            made.append(event("Customer Aliased", user, kind="alias", previous_id=other))
        else:
            made.append(event("Tested", user, anonymous=other, number=str(number)))
    return made


async def test_two_routers_link_ids_in_opposite_orders(live: System) -> None:
    await live.publish(BY_NUMBER)
    made = linking(random.Random(11))
    tracked = sum(1 for one in made if one.kind == "track")

    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(pool(str(live.settings.database_url))) for _ in "12"
        ]
        there = [made[at : at + BATCH] for at in range(0, EVENTS, BATCH)]
        back = [batch[::-1] for batch in reversed(there)]
        routers = [
            asyncio.create_task(
                Router(str(live.settings.database_url), await replace(live, pool=one).round()).run()
            )
            for one in pools
        ]
        await asyncio.gather(
            *(
                events.insert(one, batch)
                for one, batches in zip(pools, (there, back), strict=True)
                for batch in batches
            )
        )
        await live.until("SELECT NOT EXISTS (SELECT FROM inbox)", within=60)
        for router in routers:
            router.cancel()
        await asyncio.gather(*routers, return_exceptions=True)

    [row] = await live.pool.fetch("""
        SELECT (SELECT count(*) FROM events) AS events,
               (SELECT count(*) FROM events WHERE customer IS NULL) AS nobody,
               (SELECT count(*) FROM instances) AS instances,
               (SELECT count(DISTINCT key) FROM instances) AS keys,
               (SELECT count(*) FROM external_ids x LEFT JOIN customers c ON c.id = x.customer
                WHERE c.id IS NULL) AS nowhere,
               (SELECT count(*) FROM customers c
                WHERE c.merged_into IS NULL AND NOT EXISTS (
                    SELECT FROM external_ids x WHERE x.customer = c.id)) AS orphans
    """)
    wanted = {"events": EVENTS, "instances": tracked, "keys": tracked}
    assert dict(row) == {**wanted, "nobody": 0, "nowhere": 0, "orphans": 0}
