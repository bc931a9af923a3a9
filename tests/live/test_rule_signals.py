"""Signals given by hand in Temporal's UI or CLI: a stored event by its id, or nothing."""

from typing import Any
from uuid import uuid4

import pytest

from storage import events
from tests.live.system import System, event, working

JOURNEY: dict[str, Any] = {
    "journey": "signalled",
    "entry": {"event": "Begun"},
    "exits": [{"event": "Bought"}],
    "steps": [
        {
            "id": "await_it",
            "kind": "wait_for",
            "timeout": "30d",
            "events": {"came": {"event": "Came", "when": "event.total > 10.0"}},
        },
        {"id": "settle", "kind": "wait", "duration": "30d"},
    ],
}


async def stored(live: System, name: str, user: str = "u1", **properties: Any) -> str:
    """The id of an event that is stored and will not be routed."""
    one = event(name, user, **properties)
    await events.insert(live.pool, [one], route=False)
    return str(one.id)


@pytest.mark.parametrize("as_text", [False, True], ids=["object", "text"])
async def test_signal_with_a_stored_event_wakes_its_wait(live: System, as_text: bool) -> None:
    await live.publish(JOURNEY)

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT wait_visit FROM instances")
        id = await stored(live, "Came", total=20)
        workflow = await live.workflow("signalled")
        await workflow.signal("event", f'{{"id": "{id}"}}' if as_text else {"id": id})
        await live.until("SELECT position = 'settle' FROM instances")

        assert await live.exits("signalled") == [("await_it", "came")]


@pytest.mark.parametrize("step", ["await_it", "settle"])
async def test_signal_with_an_exit_event_ends_the_instance(live: System, step: str) -> None:
    steps = JOURNEY["steps"] if step == "await_it" else JOURNEY["steps"][1:]
    await live.publish({**JOURNEY, "steps": steps})

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT started FROM instances")
        workflow = await live.workflow("signalled")
        await workflow.signal("event", {"id": await stored(live, "Bought")})
        await workflow.result()

        assert await live.outcomes("signalled") == ["exited"]


async def test_signals_that_mean_nothing_are_ignored(live: System) -> None:
    await live.publish(JOURNEY)

    async with working(live.settings):
        await live.identify("u2", first_name="Bob")
        await live.send("Begun", "u1")
        await live.until("SELECT wait_visit FROM instances")
        workflow = await live.workflow("signalled")
        for junk in (
            None,
            5,
            "junk",
            {},
            {"id": 7},
            {"id": str(uuid4())},
            ["id"],
            {"id": str(uuid4()), "more": 1},
            {"id": str(uuid4()), "instance": str(uuid4()), "ends": True},
            {"id": await stored(live, "Came", total=5)},
            {"id": await stored(live, "Other")},
        ):
            await workflow.signal("event", junk)
        await workflow.signal("event")
        await workflow.signal("event", args=[{"id": str(uuid4())}, "one too many"])
        await workflow.signal("resume", "for no reason")
        await workflow.signal("no_such_signal", 1)
        id = await stored(live, "Came", total=20)
        await workflow.signal("event", {"id": id})
        await workflow.signal("event", {"id": id})
        await live.until("SELECT position = 'settle' FROM instances")

        assert await live.exits("signalled") == [("await_it", "came")]
        assert await live.outcomes("signalled") == [None]


async def test_event_of_another_customer_does_nothing(live: System) -> None:
    await live.publish(JOURNEY)

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT wait_visit FROM instances")
        other = await live.send("Came", "u2", total=20)
        await live.routed()
        workflow = await live.workflow("signalled")
        await workflow.signal("event", {"id": str(other.id)})
        await workflow.signal("event", {"id": await stored(live, "Came", total=20)})
        await live.until("SELECT position = 'settle' FROM instances")
        why = await live.pool.fetchval("SELECT why->'values'->>'event.total' FROM trail")

        assert why == "20"
        assert len(await live.exits("signalled")) == 1
