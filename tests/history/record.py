"""Records the histories that the replay test replays: `python -m tests.history.record [CASE…]`.

What is recorded stays: a case that has a recording is recorded anew only when it is named.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import orjson
from temporalio.client import WorkflowExecutionStatus

from embedded import program
from embedded.postgres import Postgres
from embedded.temporal import FOR_TESTS, PUNCTUAL, TemporalServer, port_near, stop
from storage import migrate
from tests.conftest import fresh_database
from tests.history.cases import CASES, Case
from tests.live.faulty_smtp import Dialogue, FaultySmtp, faulty_smtp
from tests.live.system import System, system, working

RECORDED = Path(__file__).parent / "recorded"
EARLY = {"limit.historyCount.suggestContinueAsNew": "60"}
TEMPLATE = "recording"


class Reluctant(FaultySmtp):
    """A server that refuses the first mail to a recipient tagged `4xx-once`."""

    has_refused = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = self

        class Refusing(Dialogue):
            @property
            def tag(self) -> str:
                return "4xx" if "4xx-once" in self.recipient and not server.has_refused else ""

            async def on_rcpt(self, line: str) -> None:
                await super().on_rcpt(line)
                server.has_refused |= "4xx-once" in line

        try:
            await Refusing(self, reader, writer).run()
        finally:
            writer.close()


async def record(live: System, name: str, one: Case) -> None:
    """Let a customer walk, and keep the history of every run and the plan."""
    await live.publish(one.definition(name))
    await live.identify("u1", **one.traits)
    await live.send("Begun", "u1")
    await one.drive(live)
    await live.until("SELECT bool_and(ended_at IS NOT NULL) FROM instances", within=30)
    client, workflow = await live.client(), await live.workflow(name)
    async with asyncio.timeout(10):
        while (await workflow.describe()).status == WorkflowExecutionStatus.RUNNING:
            await asyncio.sleep(0.05)
    runs = [run async for run in client.list_workflows(f"WorkflowId = '{workflow.id}'")]
    for number, run in enumerate(sorted(runs, key=lambda run: run.start_time), 1):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        kept = {"workflow_id": run.id, "history": orjson.loads(history.to_json())}
        (RECORDED / f"{name}.{number}.json").write_bytes(
            orjson.dumps(kept, option=orjson.OPT_APPEND_NEWLINE)
        )
    plan = await live.pool.fetchrow(
        "SELECT journey, version, hash, definition, templates FROM journey_versions"
    )
    assert plan is not None
    kept = {**plan, "definition": orjson.loads(plan["definition"])}
    (RECORDED / f"{name}.plan.json").write_bytes(
        orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    print(f"{name}: {len(runs)} run(s)")


async def main(names: list[str]) -> None:
    """Record what is named, or what has no recording."""
    wanted = names or [name for name in CASES if not (RECORDED / f"{name}.plan.json").exists()]
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
        smtp = await stack.enter_async_context(faulty_smtp(Reluctant()))
        url = f"smtp://127.0.0.1:{smtp.port}"
        for name in wanted:
            async with (
                fresh_database(postgres.url, TEMPLATE) as database,
                system(database, server.address, smtp_url=url) as live,
                working(live.settings),
            ):
                await record(live, name, CASES[name])


async def prepare(url: str) -> None:
    """A database with the schema, to be copied for each case."""
    admin = await asyncpg.connect(url)
    await admin.execute(f"CREATE DATABASE {TEMPLATE}")
    await admin.close()
    connection = await asyncpg.connect(url.replace("/postgres?", f"/{TEMPLATE}?"))
    await migrate.apply(connection)
    await migrate.extend_partitions(connection, datetime.now(UTC))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
