"""Rule 1: the same message id any number of times is one event, one instance and one mail."""

import asyncio
from typing import Any

import pytest

from routing.identify import identify
from storage import events
from storage.pool import pool
from tests.live.system import System, event, working

ONE_MAIL: dict[str, Any] = {
    "journey": "once",
    "entry": {"event": "Signed Up"},
    "steps": [{"id": "hi", "kind": "send", "channel": "email", "template": "hello"}],
}
AND_A_WAIT: dict[str, Any] = {
    **ONE_MAIL,
    "steps": [*ONE_MAIL["steps"], {"id": "rest", "kind": "wait", "duration": "30d"}],
}
COUNTS = """
    SELECT (SELECT count(*) FROM events WHERE kind = 'track'), (SELECT count(*) FROM instances),
           (SELECT count(*) FROM messages WHERE state = 'accepted')
"""


async def counts(live: System) -> tuple[int, ...]:
    rows = await live.pool.fetch(COUNTS)
    return (*rows[0], live.mailbox.count)


async def test_message_three_times_in_a_batch_and_in_two_processes_is_one_mail(
    live: System,
) -> None:
    await live.publish(ONE_MAIL)
    one = event("Signed Up", "u1")

    async with working(live.settings), pool(str(live.settings.database_url)) as other:
        await live.identify("u1", email="u1@x.example")
        await asyncio.gather(live.store(one, one, one), events.insert(other, [one, one, one]))
        await live.until("SELECT count(*) FROM messages WHERE state = 'accepted'")
        await live.routed()

        assert await counts(live) == (1, 1, 1, 1)


@pytest.mark.parametrize("again", ["stored", "routed"])
async def test_message_that_comes_again_after_the_end_does_nothing(
    live: System, again: str
) -> None:
    await live.publish(ONE_MAIL)
    one = event("Signed Up", "u1")

    async with working(live.settings):
        await live.identify("u1", email="u1@x.example")
        await live.store(one)
        await live.until("SELECT count(*) FROM instances WHERE outcome = 'completed'")
        await (await live.workflow("once")).result()
        if again == "stored":
            await live.store(one, one)
        else:
            await live.pool.execute(
                "INSERT INTO inbox (event, received_at, shard) VALUES ($1, $2, 0)",
                one.id,
                one.received_at,
            )
        await live.routed()

        assert await counts(live) == (1, 1, 1, 1)


@pytest.mark.parametrize("journey", [ONE_MAIL, AND_A_WAIT], ids=["ended", "waiting"])
@pytest.mark.parametrize("told", [True, False], ids=["after_the_start", "before_the_start"])
async def test_router_that_dies_before_it_marks_the_event_starts_one_instance(
    live: System, journey: dict[str, object], told: bool
) -> None:
    await live.publish(journey)

    async with working(live.settings, routes=False) as parts:
        await live.identify("u1", email="u1@x.example")
        await live.route()
        one = await live.send("Signed Up", "u1")
        dying = await live.round()
        owners = (await identify(live.pool, [one], dying.secret, dying.clock.now())).customers
        orders = await dying.decide([one], owners)
        if told:
            await dying.tell(orders)
            await live.until("SELECT count(*) FROM messages WHERE state = 'accepted'")
        successor = asyncio.create_task(parts.router.run())
        await live.routed()
        await live.until("SELECT count(*) FROM messages WHERE state = 'accepted'")
        runs = [
            one
            async for one in (await live.client()).list_workflows(
                f"WorkflowId = '{(await live.workflow('once')).id}'"
            )
        ]
        successor.cancel()

        assert await counts(live) == (1, 1, 1, 1)
        assert await live.pool.fetchval("SELECT started OR ended_at IS NOT NULL FROM instances")
        assert len(runs) == 1
