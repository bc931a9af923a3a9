"""Pause, resume, close and stop of a journey, and the cancelling of one instance."""

from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from storage import journeys
from tests.live.system import System, working

WAIT = {"id": "settle", "kind": "wait", "duration": "1s"}
MAIL = {"id": "hi", "kind": "send", "channel": "email", "template": "hello"}
EFFECTS: dict[str, dict[str, Any]] = {
    "send": MAIL,
    "update": {"id": "mark", "kind": "update", "set": {"seen": "true"}},
    "emit": {"id": "say", "kind": "emit", "event": "Said"},
    "call": {"id": "ask", "kind": "call", "url": "http://127.0.0.1:9/", "retries": 0},
}


def journey(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"journey": "life", "entry": {"event": "Begun"}, "steps": list(steps)}


async def change(live: System, verb: Literal["pause", "resume", "close", "open", "stop"]) -> None:
    await journeys.change(live.pool, "life", datetime.now(UTC), verb)


async def begin(live: System, user: str = "u1") -> None:
    """Let a customer with an address enter, or be refused."""
    await live.identify(user, email=f"{user}@x.example")
    await live.send("Begun", user)
    await live.routed()


@pytest.mark.parametrize("kind", EFFECTS)
async def test_pause_lets_waits_run_on_and_holds_the_next_effect_until_resume(
    live: System, kind: str
) -> None:
    await live.publish(journey(WAIT, EFFECTS[kind]))

    async with working(live.settings):
        await begin(live)
        await change(live, "pause")
        await live.until("SELECT held FROM instances")
        held = await live.exits("life")
        await change(live, "resume")
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert held == [("settle", "waited")]
        assert [step for step, _ in await live.exits("life")] == ["settle", EFFECTS[kind]["id"]]
        assert live.mailbox.count == (1 if kind == "send" else 0)


async def test_pause_refuses_entries_and_says_so(live: System) -> None:
    await live.publish(journey(MAIL))

    async with working(live.settings):
        await change(live, "pause")
        await begin(live, "u1")
        await change(live, "resume")
        await begin(live, "u2")
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.pool.fetchval("SELECT reason FROM refusals") == "paused"
        assert await live.outcomes("life") == ["completed"]


async def test_close_refuses_entries_and_lets_those_inside_go_on(live: System) -> None:
    await live.publish(journey(WAIT, MAIL))

    async with working(live.settings):
        await begin(live, "u1")
        await change(live, "close")
        await begin(live, "u2")
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.pool.fetchval("SELECT reason FROM refusals") == "closed"
        assert (await live.outcomes("life"), live.mailbox.count) == (["completed"], 1)


async def test_stop_ends_those_inside_and_their_workflows_and_sends_nothing_more(
    live: System,
) -> None:
    await live.publish(journey(WAIT, MAIL, {**WAIT, "id": "long", "duration": "30d"}))

    async with working(live.settings):
        await begin(live, "u1")
        workflow = await live.workflow("life")
        await change(live, "stop")
        await live.until("SELECT outcome = 'stopped' FROM instances")
        await workflow.result()

        assert (await live.outcomes("life"), live.mailbox.count) == (["stopped"], 0)


async def test_stop_of_a_paused_journey_ends_held_instances(live: System) -> None:
    await live.publish(journey(MAIL, WAIT))

    async with working(live.settings):
        await begin(live, "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        await live.publish(journey({**WAIT, "duration": "1s"}, MAIL))
        await live.send("Begun", "u1")
        await live.routed()
        await change(live, "pause")
        await live.until("SELECT held FROM instances WHERE ended_at IS NULL")
        await change(live, "stop")
        await live.until("SELECT count(*) FROM instances WHERE outcome = 'stopped'")
        await (await live.workflow("life")).result()

        assert (await live.outcomes("life"), live.mailbox.count) == (["completed", "stopped"], 1)


async def test_cancel_ends_the_instance_in_the_middle_of_a_wait(live: System) -> None:
    await live.publish(journey({**WAIT, "duration": "30d"}, MAIL))

    async with working(live.settings):
        await begin(live)
        workflow = await live.workflow("life")
        await workflow.cancel()
        with pytest.raises(WorkflowFailureError):
            await workflow.result()

        assert (await workflow.describe()).status == WorkflowExecutionStatus.CANCELED
        assert (await live.outcomes("life"), live.mailbox.count) == (["cancelled"], 0)


@pytest.mark.parametrize("step", ["wait_for", "hold", "long_path"])
async def test_cancel_ends_the_instance_wherever_it_stands(live: System, step: str) -> None:
    steps: dict[str, dict[str, Any]] = {
        "wait_for": {
            "id": "listen",
            "kind": "wait_for",
            "events": {"came": {"event": "Came"}},
            "timeout": "30d",
        },
        "hold": MAIL,
        "long_path": {"id": "ask", "kind": "call", "url": "http://127.0.0.1:9/", "retries": 20},
    }
    await live.publish(journey({**WAIT, "duration": "1s"} if step == "hold" else steps[step], MAIL))

    async with working(live.settings.model_copy(update={"allow_private_calls": True})):
        await begin(live)
        if step == "hold":
            await change(live, "pause")
            await live.until("SELECT held FROM instances")
        workflow = await live.workflow("life")
        await workflow.cancel()
        with pytest.raises(WorkflowFailureError):
            await workflow.result()

        assert (await live.outcomes("life"), live.mailbox.count) == (["cancelled"], 0)
