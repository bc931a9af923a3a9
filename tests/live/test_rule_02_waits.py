"""Rule 2: no event falls between two chairs: before a wait, at its deadline, at the next entry."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.live.hooks import Hooks
from tests.live.system import System, event, working


def waits(**changes: Any) -> dict[str, Any]:
    """A journey that waits for `Came` and ends."""
    step = {
        "id": "await_it",
        "kind": "wait_for",
        "events": {"came": {"event": "Came"}},
        "timeout": "1d",
        "then": "end",
        **changes,
    }
    return {"journey": "waits", "entry": {"event": "Begun"}, "steps": [step]}


async def test_event_before_the_wait_was_registered_wakes_it(live: System) -> None:
    await live.publish(waits())

    async def comes_first() -> None:
        await live.send("Came", "u1")
        await live.routed()

    hooks = Hooks(before={"listen": comes_first})
    async with working(live.settings, interceptors=[hooks]):
        await live.send("Begun", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.exits("waits") == [("await_it", "came")]


@pytest.mark.parametrize(("since", "exit"), [("entry", "came"), ("step", "timed_out")])
async def test_only_since_entry_looks_back_beyond_the_step(
    live: System, since: str, exit: str
) -> None:
    journey = waits(events={"came": {"event": "Came", "since": since}}, timeout="1s")
    journey["steps"].insert(0, {"id": "settle", "kind": "wait", "duration": "1s"})
    await live.publish(journey)

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT count(*) FROM instances")
        await live.send("Came", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.exits("waits") == [("settle", "waited"), ("await_it", exit)]


async def test_event_up_to_the_deadline_wins_though_it_is_not_routed_yet(live: System) -> None:
    await live.publish(waits(timeout="1s"))

    async with working(live.settings, routes=False):
        await live.send("Begun", "u1")
        await live.route()
        await live.until("SELECT wait_visit FROM instances")
        await live.send("Came", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        await live.route()

        assert await live.exits("waits") == [("await_it", "came")]
        assert await live.outcomes("waits") == ["completed"]


async def test_event_that_occurred_at_the_deadline_itself_wins(live: System) -> None:
    await live.publish(waits(timeout="1s"))

    async def comes_last() -> None:
        at = await live.pool.fetchval("SELECT wait_until FROM instances")
        await live.store(event("Came", "u1", at=at))

    hooks = Hooks(before={"look_again": comes_last})
    async with working(live.settings, routes=False, interceptors=[hooks]):
        await live.send("Begun", "u1")
        await live.route()
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.exits("waits") == [("await_it", "came")]


@pytest.mark.parametrize("routed", [True, False])
async def test_event_after_the_deadline_does_not_win(live: System, routed: bool) -> None:
    await live.publish(waits(timeout="1s"))

    async def comes_late() -> None:
        await live.store(event("Came", "u1", at=datetime.now(UTC)))
        if routed:
            await live.route()

    hooks = Hooks(before={"look_again": comes_late})
    async with working(live.settings, routes=False, interceptors=[hooks]):
        await live.send("Begun", "u1")
        await live.route()
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.exits("waits") == [("await_it", "timed_out")]


async def test_event_routed_while_the_timeout_is_decided_takes_one_way(live: System) -> None:
    """The router closes the wait first; the redo of the look finds the answer."""
    journey = waits(timeout="1s", then={"timed_out": "end"})
    journey["steps"].append({"id": "after", "kind": "wait", "duration": "1s"})
    await live.publish(journey)

    async def comes_in_time() -> None:
        at = await live.pool.fetchval("SELECT wait_until FROM instances")
        await live.store(event("Came", "u1", at=at - timedelta(milliseconds=1)))
        await live.route()

    hooks = Hooks(before={"look_again": comes_in_time})
    async with working(live.settings, routes=False, interceptors=[hooks]):
        await live.send("Begun", "u1")
        await live.route()
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.exits("waits") == [("await_it", "came"), ("after", "waited")]


async def test_event_that_wakes_does_not_also_enter(live: System) -> None:
    await live.publish(waits(events={"came": {"event": "Begun"}}))

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT wait_visit FROM instances")
        await live.send("Begun", "u1")
        await live.routed()
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.outcomes("waits") == ["completed"]
        assert await live.pool.fetchval("SELECT reason FROM refusals") == "was_inside"


async def test_event_that_ends_does_not_also_enter_but_the_next_one_does(live: System) -> None:
    await live.publish(waits() | {"exits": [{"event": "Begun"}]})

    async with working(live.settings):
        for count in (1, 1, 2):
            await live.send("Begun", "u1")
            await live.routed()
            assert len(await live.outcomes("waits")) == count

        assert await live.outcomes("waits") == ["exited", None]


async def test_events_of_one_batch_wake_and_enter_in_their_order(live: System) -> None:
    await live.publish(waits())

    async with working(live.settings):
        begun = event("Begun", "u1")
        await asyncio.sleep(0.01)
        await live.store(begun, event("Came", "u1"), event("Begun", "u1"))
        await live.until("SELECT count(*) FROM instances WHERE outcome = 'completed'")
        await live.routed()

        assert await live.exits("waits") == [("await_it", "came")]
