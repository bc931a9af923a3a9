"""Rule 3: a workflow task that is lost after its local activities ran changes nothing."""

from typing import Any

from temporalio.client import WorkflowHandle

from tests.live.hooks import Hooks
from tests.live.system import System, working

BRANCHES = {
    "journey": "lost",
    "entry": {"event": "Begun"},
    "steps": [
        {
            "id": "rich",
            "kind": "branch",
            "branches": {"yes": "customer.money > 100.0"},
            "then": {"yes": "hi", "otherwise": "hello"},
        },
        {"id": "hi", "kind": "send", "channel": "email", "template": "hello", "then": "rest"},
        {"id": "hello", "kind": "send", "channel": "email", "template": "hello"},
        {"id": "rest", "kind": "wait", "duration": "1s"},
    ],
}


async def failures(workflow: WorkflowHandle[Any, Any]) -> int:
    """How many of its tasks were lost."""
    history = await workflow.fetch_history()
    return sum(event.HasField("workflow_task_failed_event_attributes") for event in history.events)


async def test_task_lost_after_a_branch_does_not_take_the_other_way(live: System) -> None:
    await live.publish(BRANCHES)

    async def changes() -> None:
        await live.identify("u1", money=5)
        await live.routed()
        await (await live.workflow("lost")).signal("event", {"id": "no id at all"})

    hooks = Hooks(after={"decide": changes}, loses={"decide"})
    async with working(live.settings, interceptors=[hooks]):
        await live.identify("u1", email="u1@x.example", money=500)
        await live.send("Begun", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        workflow = await live.workflow("lost")
        await workflow.result()

        assert await failures(workflow) >= 1
        assert hooks.ran.count("decide rich") >= 2
        assert await live.exits("lost") == [("rich", "yes"), ("hi", "sent"), ("rest", "waited")]
        assert live.mailbox.count == 1


async def test_task_lost_after_a_send_does_not_send_twice(live: System) -> None:
    await live.publish(BRANCHES)

    async def signals() -> None:
        await (await live.workflow("lost")).signal("event", {"id": "no id at all"})

    hooks = Hooks(after={"deliver": signals}, loses={"deliver"})
    async with working(live.settings, interceptors=[hooks]):
        await live.identify("u1", email="u1@x.example", money=500)
        await live.send("Begun", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        workflow = await live.workflow("lost")
        await workflow.result()

        assert await failures(workflow) >= 1
        assert hooks.ran.count("deliver hi") >= 2
        assert live.mailbox.count == 1
        assert await live.exits("lost") == [("rich", "yes"), ("hi", "sent"), ("rest", "waited")]


async def test_task_lost_after_a_wait_was_registered_takes_one_way(live: System) -> None:
    journey = {
        **BRANCHES,
        "steps": [
            {
                "id": "await_it",
                "kind": "wait_for",
                "events": {"came": {"event": "Came"}},
                "timeout": "1s",
                "then": {"came": "end", "timed_out": "hello"},
            },
            BRANCHES["steps"][2],  # type: ignore[index]  # a list it is
        ],
    }
    await live.publish(journey)

    async def comes() -> None:
        await live.send("Came", "u1")
        await live.routed()

    hooks = Hooks(after={"listen": comes}, loses={"listen"})
    async with working(live.settings, interceptors=[hooks]):
        await live.identify("u1", email="u1@x.example")
        await live.send("Begun", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        workflow = await live.workflow("lost")
        await workflow.result()

        assert await failures(workflow) >= 1
        assert await live.exits("lost") == [("await_it", "came")]
        assert live.mailbox.count == 0
