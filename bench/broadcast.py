"""A broadcast to a whole audience through SMTP: mails a second, CPU a mail, what kills lose.

    python -m bench.broadcast [--customers 100000] [--workers 2] [--kills 0] [--out FILE]

Postgres is durable, the mail server is another process on this machine (`bench.sink`), all on
loopback. With `--kills` a worker is killed with -9 at random instants meanwhile; at the end every
message of the ledger is held against what the mail server took.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import uvloop

from bench.figures import show
from bench.ingest import cpu_of
from bench.news import NAME, prepared
from bench.servers import Process, Servers, servers
from embedded.temporal import port_near
from routing.occasions import requested
from routing.registry import Registry
from storage.pool import Pool, pool
from workflows.client import Engine
from workflows.connect import Address, connect
from workflows.converter import CLIENT_CONVERTER
from workflows.run import RunStart

RESULTS = Path(__file__).parent / "results"
STUCK = 600.0


async def begun(db: Pool, up: Servers) -> UUID:
    """The run, asked for as the API does."""
    client = await connect(
        Address(up.temporal.address, "default", None, None), CLIENT_CONVERTER, lazy=False
    )
    plan, id = await Registry().plan(db, NAME, 1), uuid4()
    async with db.acquire() as connection, connection.transaction():
        run = await requested(connection, id, plan, datetime.now(UTC))
    await Engine(client).begin(run.workflow_id, RunStart(journey=NAME, run=run.id))
    return run.id


async def ended(db: Pool, run: UUID) -> None:
    """Return once the run is over."""
    async with asyncio.timeout(STUCK):
        while not await db.fetchval("SELECT ended_at IS NOT NULL FROM runs WHERE id = $1", run):
            await asyncio.sleep(0.05)


async def killing(
    db: Pool,
    workers: list[Process],
    kills: int,
    customers: int,
    note: Callable[[str], None],
) -> None:
    """Kill a worker at random instants while mails flow, and start it again."""
    for number in range(kills):
        share = customers * (number + random.uniform(0.2, 0.8)) / kills
        while await db.fetchval("SELECT count(*) FROM messages") < share:
            await asyncio.sleep(0.05)
        victim = random.choice(workers)
        await victim.kill()
        note(f"kill -9 of a worker after {await db.fetchval('SELECT count(*) FROM messages'):,}")
        await victim.start()


async def measured(
    customers: int, workers: int, kills: int, note: Callable[[str], None]
) -> dict[str, float]:
    """Every figure, on servers of its own."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parcours-news-")))
        up = await stack.enter_async_context(servers(folder))
        db = await stack.enter_async_context(pool(up.postgres.url, 4))
        await prepared(db, up.postgres.url, customers, note)
        port, taken = port_near(0), folder / "taken.json"
        command = [sys.executable, "-m", "bench.sink", "--port", str(port), "--out", str(taken)]
        sink = Process(command, {}, folder / "sink.log")
        environment = {
            "PARCOURS_DATABASE_URL": up.postgres.url,
            "PARCOURS_TEMPORAL_ADDRESS": up.temporal.address,
            "PARCOURS_SMTP_URL": f"smtp://127.0.0.1:{port}",
        }
        started = [
            Process(["worker"], environment, folder / f"worker-{number}.log")
            for number in range(workers)
        ]
        for process in (sink, *started):
            await process.start()
            stack.push_async_callback(process.stop)
        for number in range(workers):
            while b"worker.started" not in (folder / f"worker-{number}.log").read_bytes():
                await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        figures = await watched(db, up, sink, started, customers, kills, note)
        sink.watched.send_signal(signal.SIGUSR1)
        while not taken.exists():
            await asyncio.sleep(0.05)
        figures |= await held_against(db, json.loads(taken.read_text()), customers)
    return figures


async def watched(
    db: Pool,
    up: Servers,
    sink: Process,
    workers: list[Process],
    customers: int,
    kills: int,
    note: Callable[[str], None],
) -> dict[str, float]:
    """Run it: its time, and the CPU and the memory of everybody."""
    processes = {
        "sink": sink.watched,
        **{f"worker_{n}": one.watched for n, one in enumerate(workers)},
    }
    before = {name: cpu_of(one, family=False) for name, one in processes.items()}
    others = {name: cpu_of(one, family=family) for name, (one, family) in up.processes().items()}
    committed = await transactions(db)
    begin, memory = time.perf_counter(), list[int]()
    run = await begun(db, up)
    tasks = [asyncio.create_task(watch(workers, memory))]
    if kills:
        await killing(db, workers, kills, customers, note)
    await ended(db, run)
    spent = time.perf_counter() - begin
    for task in tasks:
        task.cancel()
    figures = {"customers": float(customers), "seconds": spent, "mails_per_s": customers / spent}
    figures["transactions_each"] = (await transactions(db) - committed) / customers
    if not kills:
        used = {name: cpu_of(one, family=False) - before[name] for name, one in processes.items()}
        used |= {
            name: cpu_of(one, family=family) - others[name]
            for name, (one, family) in up.processes().items()
        }
        figures |= {f"{name}_ms": seconds / customers * 1e3 for name, seconds in used.items()}
    middle = memory[len(memory) // 4 : -1]
    if middle:
        figures |= {"memory_quarter_mb": middle[0] / 2**20, "memory_end_mb": memory[-1] / 2**20}
    return figures


async def transactions(db: Pool) -> int:
    """How many this database has committed."""
    await asyncio.sleep(1.5)  # a process says so once a second
    return int(await db.fetchval(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"))  # fmt: skip


async def watch(workers: list[Process], memory: list[int]) -> None:
    """The memory of the workers, again and again."""
    while True:
        with suppress(psutil.NoSuchProcess):  # it was just killed
            memory.append(sum(one.watched.memory_info().rss for one in workers if one.runs))
        await asyncio.sleep(0.2)


async def held_against(db: Pool, taken: Mapping[str, int], customers: int) -> dict[str, float]:
    """The ledger against what the mail server took."""
    rows = await db.fetch("SELECT id, state FROM messages")
    states = {str(row["id"]): row["state"] for row in rows}
    unknown = {id for id, state in states.items() if state == "unknown"}
    return {
        "taken": float(len(taken)),
        "twice": float(sum(1 for times in taken.values() if times > 1)),
        "unknown": float(len(unknown)),
        "missing": float(
            customers
            - len(states)
            + sum(1 for id, state in states.items() if state == "accepted" and id not in taken)
        ),
        "open": float(await db.fetchval("SELECT count(*) FROM instances WHERE ended_at IS NULL")),
        "visits": float(await db.fetchval("SELECT count(*) FROM trail WHERE exit IS NOT NULL")),
    }


def main() -> None:
    """Measure, print a table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "broadcast.json")
    options = parser.parse_args()
    figures = uvloop.run(measured(options.customers, options.workers, options.kills, print))
    show(figures, options.out)


if __name__ == "__main__":
    main()
