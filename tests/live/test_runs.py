"""Runs on a real Temporal: by its schedules, paused and resumed, and killed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.service import RPCError
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from routing.occasions import requested
from routing.timekeeper import Timekeeper
from storage import journeys, members, runs
from storage.members import Change
from tests.live.groups import begun, join, leave, people, scheduled, soon
from tests.live.system import System, working
from workflows.run import RunStart
from workflows.sandbox import RESTRICTIONS
from workflows.schedules import workflow_id

SPLIT = {"id": "settle", "kind": "split", "paths": {"a": 50, "b": 50}}


def sandboxed() -> dict[str, Any]:
    return {"workflow_runner": SandboxedWorkflowRunner(restrictions=RESTRICTIONS)}


async def test_members_enter_once_when_their_time_comes(live: System) -> None:
    inside = await people(live.pool, 30)
    await join(live.pool, "loyal", *inside)
    await leave(live.pool, "loyal", *inside[:5])
    definition = scheduled("greeting")
    definition["entry"]["schedule"] = {"at": soon()}
    await live.publish(definition)

    async with working(live.settings, **sandboxed()):
        await live.until("SELECT state = 'done' FROM runs", within=30)

    rows = await live.pool.fetch("SELECT customer, run, entry, started FROM instances")
    [run] = await live.pool.fetch("SELECT * FROM runs")
    assert sorted(row["customer"] for row in rows) == sorted(inside[5:])
    assert {row["run"] for row in rows} == {run["id"]}
    assert all(row["started"] for row in rows)
    due = definition["entry"]["schedule"]["at"] + "+00:00"
    assert rows[0]["entry"] == {"scheduled_for": due, "audience": "loyal"}
    assert (run["expected"], run["reached"], run["entered"], run["refused"]) == (25, 25, 25, 0)
    assert run["started_at"] - run["scheduled_for"] < timedelta(seconds=3), "Temporal began it"


async def test_publishing_pausing_and_closing_move_the_schedule_in_temporal(live: System) -> None:
    definition = scheduled("kept", cron="30 2 * * *", zone="Europe/Paris")
    definition["entry"]["schedule"]["from"] = "2027-03-27"
    await live.publish(definition)
    round, now = await live.round(), datetime.now(UTC)
    keeper, handle = Timekeeper(round), round.engine.client.get_schedule_handle("run/kept")

    await keeper.once()
    first = await handle.describe()
    await journeys.change(live.pool, "kept", now, "pause")
    await keeper.once()
    paused = await handle.describe()
    await journeys.change(live.pool, "kept", now, "resume")
    definition["entry"]["schedule"]["zone"] = "America/New_York"
    await live.publish(definition)
    await keeper.once()
    changed = await handle.describe()
    await journeys.change(live.pool, "kept", now, "close")
    await keeper.once()

    night = [datetime(2027, 3, day, hour, tzinfo=UTC) + timedelta(minutes=minute)
             for day, hour, minute in ((27, 1, 30), (28, 1, 0), (29, 0, 30))]  # fmt: skip
    assert first.info.next_action_times[:3] == night, "over the night that has no half past two"
    assert "30 2 * * * Europe/Paris" in str(first.schedule.state.note)
    assert (first.schedule.state.paused, paused.schedule.state.paused) == (False, True)
    assert not changed.schedule.state.paused
    assert changed.info.next_action_times[0] == datetime(2027, 3, 27, 6, 30, tzinfo=UTC)
    with pytest.raises(RPCError, match="not found"):
        await handle.describe()


@pytest.mark.parametrize(("catch_up", "hours"), [({"within": "5h30m"}, 5), ("skip", 0)])
async def test_a_server_that_was_down_makes_up_for_what_its_policy_says(
    live: System, catch_up: Any, hours: int
) -> None:
    await join(live.pool, "loyal", *await people(live.pool, 1))
    now = datetime.now(UTC)
    minute = (now - timedelta(minutes=20)).minute
    await live.publish(scheduled("late", cron=f"{minute} * * * *", catch_up=catch_up))
    await live.pool.execute(
        "UPDATE journeys SET enters_since = $1", now - timedelta(days=1, hours=1)
    )

    async with working(live.settings):
        if hours:
            await live.until("SELECT count(*) = $1 FROM runs WHERE state = 'done'", hours + 1)
        await Timekeeper(await live.round()).once()

    made = await live.pool.fetch("SELECT scheduled_for FROM runs ORDER BY scheduled_for")
    assert len({row["scheduled_for"] for row in made}) == len(made) == (hours + 1 if hours else 0)
    assert len(await live.outcomes("late")) == min(1, hours), "who is inside does not enter again"


async def test_a_run_that_begins_too_late_is_named_and_enters_nobody(live: System) -> None:
    await join(live.pool, "loyal", *await people(live.pool, 3))
    await live.publish(scheduled("stale", cron="0 * * * *", catch_up="skip"))
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    round = await live.round()
    start = RunStart(journey="stale", scheduled_for=hour)
    await round.engine.begin(workflow_id("stale", hour), start)

    async with working(live.settings):
        await live.until("SELECT ended_at IS NOT NULL FROM runs")

    [run] = await runs.listed(live.pool, "stale", None, 10)
    assert (run.state, run.entered) == ("cancelled", 0)
    assert (run.why or "").startswith("missed: it could begin only 1h")


async def test_a_run_is_paused_resumed_and_cancelled(live: System) -> None:
    await join(live.pool, "loyal", *await people(live.pool, 60))
    await live.publish(scheduled("slow", cron="0 3 * * *", rate="10/s"))
    run = await begun(live, "slow")

    async with working(live.settings, **sandboxed()):
        await live.until("SELECT entered >= 10 FROM runs")
        await runs.pause(live.pool, run)
        await live.until("SELECT held FROM runs")
        paused = await live.pool.fetchval("SELECT count(*) FROM instances")
        await asyncio.sleep(2.5)
        still = await live.pool.fetchval("SELECT count(*) FROM instances")
        await runs.resume(live.pool, run, datetime.now(UTC))
        await live.until("SELECT entered > $1 FROM runs", still)
        await runs.end(live.pool, run, datetime.now(UTC), "cancelled", "asked for")
        cancelled = await live.pool.fetchval("SELECT count(*) FROM instances")
        await asyncio.sleep(2)
        handle = (await live.client()).get_workflow_handle(f"run/slow/{run}")
        ended = await asyncio.wait_for(handle.result(), 5)

    assert paused == still < 60
    assert ended == "over"
    assert await live.pool.fetchval("SELECT count(*) FROM instances") <= cancelled + 1
    row = await runs.get(live.pool, run)
    assert row is not None
    assert (row.state, row.why, row.entered) == ("cancelled", "asked for", cancelled)


async def test_a_rate_paces_a_run(live: System) -> None:
    await join(live.pool, "loyal", *await people(live.pool, 30))
    await live.publish(scheduled("paced", rate="10/s"))
    await begun(live, "paced")

    async with working(live.settings):
        await live.until("SELECT state = 'done' FROM runs", within=20)

    took = await live.pool.fetchval("SELECT ended_at - started_at FROM runs")
    assert timedelta(seconds=2) < took < timedelta(seconds=6)


async def test_a_run_waits_for_its_journey_and_ends_with_it(live: System) -> None:
    await join(live.pool, "loyal", *await people(live.pool, 30))
    await live.publish(scheduled("gate", rate="10/s"))
    run, now = await begun(live, "gate"), datetime.now(UTC)

    async with working(live.settings):
        await live.until("SELECT entered >= 10 FROM runs")
        await journeys.change(live.pool, "gate", now, "pause")
        await live.until("SELECT held FROM runs")
        held = await live.pool.fetchval("SELECT entered FROM runs")
        await journeys.change(live.pool, "gate", now, "resume")
        await live.until("SELECT entered > $1 FROM runs", held)
        await journeys.change(live.pool, "gate", now, "close")
        await live.until("SELECT ended_at IS NOT NULL FROM runs")

    row = await runs.get(live.pool, run)
    assert row is not None
    assert (row.state, row.why) == ("cancelled", "the journey was closed")
    assert row.entered < 30


async def test_only_who_is_new_enters_and_nobody_is_left_out(live: System) -> None:
    everybody = await people(live.pool, 9)
    await join(live.pool, "loyal", *everybody[:3])
    await live.publish(scheduled("news", only="new"))

    async with working(live.settings):
        await run_through(live, "news")
        await join(live.pool, "loyal", *everybody[3:6])
        await leave(live.pool, "loyal", everybody[5])
        async with live.pool.acquire() as late, late.transaction():
            change = Change("loyal", everybody[6], joined=True, at=datetime.now(UTC))
            await members.change(late, [change])
            await join(live.pool, "loyal", everybody[7])
            await run_through(live, "news")
            before = await entered(live)
        await run_through(live, "news")

    assert set(everybody[:5]) <= set(before)
    assert everybody[6] not in before, "his change was not committed"
    assert sorted(await entered(live)) == sorted([*everybody[:5], *everybody[6:8]])


async def test_who_joins_and_leaves_during_a_run_enters_at_most_once(live: System) -> None:
    """Rule 2: and the trail says by what."""
    everybody = await people(live.pool, 40)
    await join(live.pool, "loyal", *everybody)
    await live.publish({**scheduled("flap", rate="20/s"), "steps": [SPLIT]})
    run = await begun(live, "flap")

    async with working(live.settings):
        while not await live.pool.fetchval("SELECT ended_at IS NOT NULL FROM runs"):
            await leave(live.pool, "loyal", *everybody[::2])
            await asyncio.sleep(0.05)
            await join(live.pool, "loyal", *everybody[::2])
            await asyncio.sleep(0.05)
        await live.until("SELECT bool_and(ended_at IS NOT NULL) FROM instances")

    who = await entered(live)
    assert len(who) == len(set(who)) <= 40
    assert set(everybody[1::2]) <= set(who)
    by = await live.pool.fetch("SELECT DISTINCT run FROM instances")
    assert [row["run"] for row in by] == [run]


async def test_a_run_whose_maker_died_is_begun_by_whoever_keeps_house(live: System) -> None:
    await join(live.pool, "loyal", *await people(live.pool, 3))
    await live.publish(scheduled("orphan"))
    round = await live.round()
    plan = await round.registry.plan(live.pool, "orphan", 1)
    async with live.pool.acquire() as connection, connection.transaction():
        await requested(connection, uuid4(), plan, datetime.now(UTC))
    await live.pool.execute("UPDATE runs SET created_at = created_at - interval '1 minute'")

    async with working(live.settings):
        await live.until("SELECT state = 'done' FROM runs")

    assert len(await entered(live)) == 3


async def test_a_run_whose_workflow_was_terminated_is_over(live: System) -> None:
    await join(live.pool, "loyal", *await people(live.pool, 9))
    await live.publish(scheduled("gone", rate="2/m"))
    run = await begun(live, "gone")
    handle = (await live.client()).get_workflow_handle(f"run/gone/{run}")

    async with working(live.settings):
        await live.until("SELECT entered > 0 FROM runs")
        await handle.terminate("by hand")
        await live.until("SELECT ended_at IS NOT NULL FROM runs", within=20)

    row = await runs.get(live.pool, run)
    assert row is not None
    assert (row.state, row.why) == ("cancelled", "its workflow was ended in Temporal")


async def run_through(live: System, journey: str) -> None:
    id = await begun(live, journey)
    await live.until("SELECT state = 'done' FROM runs WHERE id = $1", id)


async def entered(live: System) -> list[UUID]:
    rows = await live.pool.fetch("SELECT customer FROM instances WHERE run IS NOT NULL")
    return [row["customer"] for row in rows]
