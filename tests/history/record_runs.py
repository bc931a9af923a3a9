"""Records histories of runs for the replay test: `python -m tests.history.record_runs [CASE…]`."""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import orjson

from embedded import program
from embedded.postgres import Postgres
from embedded.temporal import FOR_TESTS, PUNCTUAL, TemporalServer, port_near, stop
from storage import journeys, runs
from tests.conftest import fresh_database
from tests.history.record import EARLY, RECORDED, TEMPLATE, prepare
from tests.live.groups import begun, join, people, scheduled, soon
from tests.live.system import System, system, working

Case = Callable[[System], Awaitable[None]]


async def by_schedule(live: System) -> None:
    """Temporal's schedule begins it, and it goes through at once."""
    definition = scheduled("run-scheduled")
    definition["entry"]["schedule"] = {"at": soon()}
    await live.publish(definition)


async def paced(live: System) -> None:
    """It rests between pages, often enough to continue as new."""
    await live.publish(scheduled("run-paced", rate="11/m"))
    await begun(live, "run-paced")


async def held(live: System) -> None:
    """It is paused and resumed, and so is its journey."""
    await live.publish(scheduled("run-held", rate="2/s"))
    run = await begun(live, "run-held")
    await live.until("SELECT entered > 1 FROM runs")
    await runs.pause(live.pool, run)
    await live.until("SELECT held FROM runs")
    await runs.resume(live.pool, run, datetime.now(UTC))
    await live.until("SELECT entered > 4 FROM runs")
    await journeys.change(live.pool, "run-held", datetime.now(UTC), "pause")
    await live.until("SELECT held FROM runs")
    await journeys.change(live.pool, "run-held", datetime.now(UTC), "resume")


async def cancelled(live: System) -> None:
    """Its workflow is cancelled in Temporal."""
    await live.publish(scheduled("run-cancelled", rate="2/m"))
    run = await begun(live, "run-cancelled")
    await live.until("SELECT entered > 0 FROM runs")
    client = await live.client()
    await client.get_workflow_handle(f"run/run-cancelled/{run}").cancel()


async def broadcast(live: System) -> None:
    """It sends in lanes side by side, without workflows."""
    mail = {"id": "news", "kind": "send", "channel": "email", "template": "hello"}
    await live.publish({**scheduled("run-broadcast"), "steps": [mail]})
    await begun(live, "run-broadcast")


CASES: dict[str, Case] = {
    "run-scheduled": by_schedule,
    "run-paced": paced,
    "run-held": held,
    "run-cancelled": cancelled,
    "run-broadcast": broadcast,
}


async def record(live: System, name: str, drive: Case) -> None:
    """Let a group of eight enter, and keep the history of every run of the workflow."""
    await join(live.pool, "loyal", *await people(live.pool, 8))
    await drive(live)
    await live.until("SELECT ended_at IS NOT NULL FROM runs", within=120)
    await asyncio.sleep(2)
    client = await live.client()
    workflow = await live.pool.fetchval("SELECT workflow_id FROM runs")
    found = [run async for run in client.list_workflows(f"WorkflowId = '{workflow}'")]
    for number, run in enumerate(sorted(found, key=lambda run: run.start_time), 1):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        kept = {"workflow_id": run.id, "history": orjson.loads(history.to_json())}
        (RECORDED / f"{name}.{number}.json").write_bytes(
            orjson.dumps(kept, option=orjson.OPT_APPEND_NEWLINE)
        )
    print(f"{name}: {len(found)} run(s)")


async def main(names: list[str]) -> None:
    """Record what is named, or what has no recording."""
    wanted = names or [name for name in CASES if not (RECORDED / f"{name}.1.json").exists()]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = Postgres(folder / "postgres", durable=False)
        postgres.start()
        stack.callback(postgres.stop)
        await prepare(postgres.url)
        dynamic = PUNCTUAL | FOR_TESTS | EARLY
        server = TemporalServer(program.find(), None, port_near(0), dynamic=dynamic)
        stack.callback(stop, server.start(folder / "log"))
        await server.wait_ready()
        for name in wanted:
            async with (
                fresh_database(postgres.url, TEMPLATE) as database,
                system(database, server.address) as live,
                working(live.settings),
            ):
                await record(live, name, CASES[name])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
