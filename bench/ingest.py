"""How many events a second one API process takes through `/v1/batch`, durably, with the router off.

    python -m bench.ingest [--seconds 15] [--out FILE]

A Postgres of its own with fsync on, one API process, one load generator, all on this machine. The
floor is the same rows by the same statement straight from Python, without HTTP.
"""

import argparse
import asyncio
import json
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil
import uvloop

from api.tracking.body import parse
from api.tracking.ingest import LANES
from api.tracking.receive import open_batch
from bench.api import served
from bench.load import run_load
from bench.traffic import Traffic
from embedded.postgres import Postgres
from storage import events, keys, migrate
from storage.pool import pool

KEY = "write_for_the_bench"


def cpu_of(process: psutil.Process, *, family: bool = False) -> float:
    """CPU seconds of a process, or of it and all its children, also those that have ended."""
    times = process.cpu_times()
    if not family:
        return times.user + times.system
    total = times.user + times.system + times.children_user + times.children_system
    for child in process.children():
        with suppress(psutil.NoSuchProcess):  # it has ended since, and counts at its parent next
            total += cpu_of(child)
    return total


async def floor(url: str, batches: int, size: int) -> float:
    """Events a second by the same statement, as many at once as the API has under way."""
    traffic, now = Traffic(KEY, size), datetime.now(UTC)
    ready = []
    for _ in range(batches):
        items, reader, _ = open_batch(parse(traffic.body()), now)
        ready.append([reader(item) for item in items])
    async with pool(url, LANES) as opened:

        async def insert() -> None:
            while ready:
                batch = ready.pop()
                async with opened.acquire() as connection:
                    new = await events.insert(connection, batch)
                if len(new) != size:
                    raise AssertionError(f"{len(new)} of {size} rows were new")

        started = time.perf_counter()
        await asyncio.gather(*(insert() for _ in range(LANES)))
        return batches * size / (time.perf_counter() - started)


async def prepare(url: str) -> None:
    """The schema and the key."""
    connection = await asyncpg.connect(url)
    await migrate.apply(connection)
    await migrate.extend_partitions(connection, datetime.now(UTC))
    await keys.add(connection, "write", "bench", KEY, datetime.now(UTC))
    await connection.close()


async def loaded(
    url: str, server: psutil.Process, seconds: float, connections: int, size: int
) -> dict[str, float]:
    """The figures of one run of load."""
    async with served(url) as (api, port):
        await run_load(port, KEY, 2.0, connections, size)  # warm
        before = await counts(url)
        parties = {
            "api": (api, False),
            "postgres": (server, True),
            "generator": (psutil.Process(), False),
        }
        cpu = {name: cpu_of(of, family=family) for name, (of, family) in parties.items()}
        started = time.perf_counter()
        load = await run_load(port, KEY, seconds, connections, size)
        spent = time.perf_counter() - started
        used = {
            f"{name}_us_per_event": (cpu_of(of, family=family) - cpu[name]) / load.accepted * 1e6
            for name, (of, family) in parties.items()
        }
        stored = [now - then for now, then in zip(await counts(url), before, strict=True)]
    if load.failures:
        raise AssertionError(f"{len(load.failures)} failed: {load.failures[0]!r}")
    if stored != [load.accepted] * 3:
        raise AssertionError(f"accepted {load.accepted}, but events, ids, inbox have {stored}")
    load.latencies.sort()
    return {
        "per_s": load.accepted / spent,
        "p50_ms": load.latencies[len(load.latencies) // 2] * 1e3,
        "p99_ms": load.latencies[int(len(load.latencies) * 0.99)] * 1e3,
        **used,
    }


async def counts(url: str) -> list[int]:
    """The rows of events, message ids and inbox."""
    connection = await asyncpg.connect(url)
    try:
        tables = ("events", "message_ids", "inbox")
        return [await connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables]
    finally:
        await connection.close()


async def run(
    seconds: float = 15.0, connections: int = 6, size: int = 500, path: Path | None = None
) -> dict[str, float]:
    """All figures, from a Postgres that is made in `path` and ended with it."""
    with tempfile.TemporaryDirectory(dir=path) as place:
        server = Postgres(Path(place) / "postgres", durable=True)
        server.start()
        try:
            postmaster = server.postmaster()
            if postmaster is None:
                raise AssertionError("Postgres is gone")
            await prepare(server.url)
            batches = await loaded(server.url, postmaster, seconds, connections, size)
            singles = await loaded(server.url, postmaster, seconds / 3, 64, 1)
            lowest = await floor(server.url, 400, size)
        finally:
            server.stop()
    figures = {f"ingest_{name}": value for name, value in batches.items()}
    figures |= {f"ingest_single_{name}": value for name, value in singles.items()}
    return figures | {"ingest_floor_per_s": lowest}


def table(figures: dict[str, float]) -> str:
    """The figures to read."""
    width = max(map(len, figures))
    return "\n".join(f"{name:{width}}  {value:12,.1f}" for name, value in figures.items())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--connections", type=int, default=6)
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    figures = uvloop.run(run(given.seconds, given.connections, given.size))
    print(table(figures))
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
