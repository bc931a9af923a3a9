"""Workers come and go, workflows continue as new or are terminated: instances outlive it all."""

import asyncio

from temporalio.client import WorkflowExecutionStatus
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.live.system import System, working
from workflows.sandbox import RESTRICTIONS

MAIL = {"id": "hi", "kind": "send", "channel": "email", "template": "hello"}
WAITS = {
    "journey": "lasting",
    "entry": {"event": "Begun"},
    "steps": [
        {"id": "settle", "kind": "wait", "duration": "1s"},
        {
            "id": "await_it",
            "kind": "wait_for",
            "events": {"came": {"event": "Came"}},
            "timeout": "30d",
        },
        MAIL,
    ],
}
ROUND = {
    "journey": "lasting",
    "entry": {"event": "Begun"},
    "steps": [
        {
            "id": "await_it",
            "kind": "wait_for",
            "timeout": "30d",
            "events": {"again": {"event": "Again"}, "enough": {"event": "Enough"}},
            "then": {"again": "await_it", "enough": "hi", "timed_out": "end"},
        },
        MAIL,
    ],
}


async def test_worker_that_is_stopped_and_started_goes_on(live: System) -> None:
    await live.publish(WAITS)

    async with working(live.settings):
        await live.identify("u1", email="u1@x.example")
        await live.send("Begun", "u1")
        await live.until("SELECT started FROM instances")
    await asyncio.sleep(1)  # the timer fires while nobody is there
    async with working(live.settings):
        await live.until("SELECT wait_visit FROM instances")
    await live.send("Came", "u1")
    async with working(live.settings):
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await live.exits("lasting") == [
            ("settle", "waited"),
            ("await_it", "came"),
            ("hi", "sent"),
        ]
        assert live.mailbox.count == 1


async def test_terminated_workflow_closes_the_row_and_the_customer_may_enter_again(
    live: System,
) -> None:
    await live.publish(WAITS)

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT started FROM instances")
        await (await live.workflow("lasting")).terminate("by hand")
        await live.until("SELECT outcome = 'terminated' FROM instances")
        await live.send("Begun", "u1")
        await live.until("SELECT count(*) = 2 FROM instances")

        assert await live.outcomes("lasting") == ["terminated", None]


async def test_journey_in_circles_continues_as_new_and_keeps_its_visits(live: System) -> None:
    await live.publish(ROUND)

    async with working(live.settings):
        await live.identify("u1", email="u1@x.example")
        await live.send("Begun", "u1")
        for visit in range(1, 25):
            await live.until("SELECT wait_visit = $1 FROM instances", visit)
            await live.send("Again", "u1")
        await live.until("SELECT wait_visit = 25 FROM instances")
        await live.send("Enough", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        workflow = await live.workflow("lasting")
        await workflow.result()
        runs = [
            one.status
            async for one in (await live.client()).list_workflows(f"WorkflowId = '{workflow.id}'")
        ]
        visits = await live.pool.fetchval("SELECT array_agg(visit ORDER BY visit) FROM trail")

        assert runs.count(WorkflowExecutionStatus.CONTINUED_AS_NEW) >= 2
        assert visits == list(range(1, 27))
        assert await live.exits("lasting") == [
            *[("await_it", "again")] * 24,
            ("await_it", "enough"),
            ("hi", "sent"),
        ]
        assert live.mailbox.count == 1


async def test_events_that_pour_in_while_it_continues_as_new_are_each_counted_once(
    live: System,
) -> None:
    await live.publish(ROUND)

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT wait_visit FROM instances")
        for _ in range(60):
            await live.send("Again", "u1")
            await asyncio.sleep(0.01)
        await live.routed()
        await live.until("SELECT wait_visit FROM instances")
        await live.send("Enough", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        visits = await live.pool.fetchval("SELECT array_agg(visit ORDER BY visit) FROM trail")
        exits = await live.exits("lasting")

        assert visits == list(range(1, len(visits) + 1))
        assert exits[-2:] == [("await_it", "enough"), ("hi", "not_sent")]
        assert len(exits) <= 62


async def test_instance_walks_in_the_sandbox(live: System) -> None:
    await live.publish(WAITS)

    runner = SandboxedWorkflowRunner(restrictions=RESTRICTIONS)
    async with working(live.settings, workflow_runner=runner):
        await live.identify("u1", email="u1@x.example")
        await live.send("Begun", "u1")
        await live.until("SELECT wait_visit FROM instances")
        await live.send("Came", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert live.mailbox.count == 1
