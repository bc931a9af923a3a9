"""How fast the audiences of a customer are told, alone and while events are ingested.

    python -m bench.state [--seconds 10] [--customers 50000] [--rate 200] [--out FILE]

A durable Postgres of its own, one real API process, everything on this machine. Requests come at a
fixed rate and count from when they were due, so that a slow answer makes those behind it slow too.
`nothing` asks for no more than a sign of life: what the machine itself does to such a figure.
`flood` is as much ingest as one API process takes, in batches of 500.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import uvloop

from audiences.definition import AUDIENCE
from bench.asking import BROWSER, ask, asks
from bench.ingest import KEY, prepare, table
from bench.load import Load, drive
from bench.servers import module
from bench.traffic import Traffic
from embedded.postgres import Postgres
from embedded.temporal import port_near
from journeys.identity import CustomerId, ExternalId
from settings import Settings
from storage import audiences, customers, external_ids, installation, keys, members
from storage.members import Change
from storage.pool import Pool, pool

AUDIENCES = 50
EACH = 5  # audiences that a customer is in
SLICE = 5_000
SMALL = 20  # events of a batch as a shop's server sends it


async def fill(opened: Pool, count: int) -> None:
    """Customers as the traffic names them, each in a few of many audiences; half are shared."""
    now = datetime.now(UTC)
    names = [f"audience-{number}" for number in range(AUDIENCES)]
    for place, name in enumerate(names):
        given = {"audience": name, "kind": "list", "shared": place % 2 == 0}
        await audiences.publish(opened, AUDIENCE.validate_python(given), name, now)
    chance = random.Random(1)
    for start in range(0, count, SLICE):
        part = {
            ExternalId("user_id", f"customer-{number}"): CustomerId(uuid4())
            for number in range(start, min(start + SLICE, count))
        }
        await customers.create(opened, list(part.values()), now)
        await external_ids.link(opened, part, now)
        changes = [
            Change(name, one, joined=True, at=now, why={"condition": "made for the bench"})
            for one in part.values()
            for name in chance.sample(names, EACH)
        ]
        await members.change(opened, changes)
    await opened.execute("ANALYZE")


async def paced(port: int, seconds: float, events: float) -> float:
    """Ingest of so many events a second in small batches; how many it was."""
    traffic, accepted = Traffic(KEY, SMALL), 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    due = started = time.perf_counter()
    while due < started + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(traffic.request())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
        accepted += SMALL
        due += SMALL / events
    writer.close()
    return accepted / (time.perf_counter() - started)


async def flood(port: int, seconds: float) -> float:
    """As much ingest as there can be; how many events a second."""
    load = Load(time.perf_counter() + seconds)
    await asyncio.gather(*(drive(port, Traffic(KEY, 500), load) for _ in range(3)))
    return load.accepted / seconds


async def nothing() -> float:
    """No ingest."""
    return 0.0


@asynccontextmanager
async def serving(url: str, log: Path) -> AsyncIterator[int]:
    """A real API process; it needs no Temporal for this."""
    port = port_near(0)
    settings = Settings.model_validate({
        "database_url": url,
        "http_port": port,
        "temporal_address": "127.0.0.1:1",
    })
    async with module("api", settings.environment(), log):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            break
        yield port


async def run(seconds: float, count: int, rate: float) -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        server = Postgres(Path(place) / "postgres", durable=True)
        server.start()
        try:
            await prepare(server.url)
            async with pool(server.url) as opened:
                now = datetime.now(UTC)
                await installation.ensure(opened, now)
                await keys.add(opened, "browser", "bench", BROWSER, now)
                await fill(opened, count)
            async with serving(server.url, Path(place) / "api.log") as port:
                figures = await measured(port, seconds, count, rate)
        finally:
            server.stop()
    return figures


async def measured(port: int, seconds: float, count: int, rate: float) -> dict[str, float]:
    """Each question under each load."""
    loads: dict[str, Callable[[], Awaitable[float]]] = {
        "alone": nothing,
        "at_1000": lambda: paced(port, seconds, 1_000),
        "at_3000": lambda: paced(port, seconds, 3_000),
        "flood": lambda: flood(port, seconds),
    }
    figures: dict[str, float] = {}
    await ask(port, asks("audiences"), count, 2.0, rate)  # warm
    for question in ("nothing", "audiences", "flags"):
        for name, load in loads.items():
            latencies, ingested = await asyncio.gather(
                ask(port, asks(question), count, seconds, rate), load()
            )
            for share in (50, 99):
                at = latencies[int(len(latencies) * share / 100)]
                figures[f"{question}_{name}_p{share}_ms"] = at * 1e3
            if ingested:
                figures[f"{question}_{name}_events_per_s"] = ingested
    return figures


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=200.0, help="questions a second")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    figures = uvloop.run(run(given.seconds, given.customers, given.rate))
    print(table(figures))
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
