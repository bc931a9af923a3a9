"""How many events a second have customers judged, with 50 audiences published, and how late.

    python -m bench.streaming [--rate N] [--seconds N] [--warm N] [--base FOLDER]
        [--customers N] [--events N]

As it is deployed on two cores: one process stores events at a rate, as the API would; another
routes and judges. The CPU that each uses an event is read, and Postgres's for each. A base that is
kept in a folder is used again; what earlier runs have added to it stays in it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop

from audiences.definition import AUDIENCE
from bench.base import base
from bench.ingest import table
from bench.servers import Process
from bench.spent import Spent
from clock import Clock
from routing.catalogs import Catalogs
from routing.evaluating import Evaluation
from storage import audiences
from storage.pool import Pool
from storage.pool import pool as open_pool

AUDIENCES = 50
SECONDS = 30.0
WARM = 30.0
RATE = 3_100  # events a second
SETTLE = 120.0  # the longest that what is left may take
SENDER, JUDGE = "bench.sender", "bench.judge"


def definition(number: int) -> dict[str, Any]:
    """One of many rules: by attributes, by orders, by orders in a window, by sums, by both."""
    when = (
        f"customer.worth > {number * 20}.0",
        f'events("Order Completed").size() >= {number % 7 + 1}',
        f'events("Order Completed", days({number + 7})).size() >= {number % 4 + 1}',
        f'sum(events("Order Completed", days(90)).map(e, e.total)) > {number * 10}.0',
        f'events("Order Cancelled", days({number + 3})).size() >= 1 && customer.plan == "pro"',
    )
    return {"audience": f"rule-{number}", "kind": "rule", "when": when[number % len(when)]}


async def streamed(
    pool: Pool,
    url: str,
    customers: int,
    folder: Path,
    rate: float,
    seconds: float,
    warm: float = WARM,
) -> dict[str, float]:
    """Events a second, the CPU of each, and of those who joined or left how late that was.

    After `warm` seconds of the same traffic about others: what is read is in memory by then, and
    what is written was written since the last checkpoint, as in a server that is up for a while.
    """

    def process(name: str, *given: float) -> Process:
        command = [sys.executable, "-m", name, f"{url}&application_name={name}", *map(str, given)]
        return Process(command, {}, folder / f"{name}.log")

    judge = process(JUDGE)
    await judge.start()
    await asyncio.sleep(3)
    if warm:
        warming = process(SENDER, customers, rate, warm, 1)
        await warming.start()
        await warming.ended()
        await drained(pool)
    sender = process(SENDER, customers, rate, seconds, 2)
    seen = await pool.fetchval("SELECT coalesce(max(seq), 0) FROM audience_changes")
    before = await pool.fetchval("SELECT count(*) FROM message_ids")
    spent, begun = Spent(pool, {JUDGE: judge, SENDER: sender}), time.perf_counter()
    await sender.start()
    while sender.runs:
        await spent.look()
        await asyncio.sleep(0.2)
    if await sender.ended():
        raise AssertionError((folder / f"{SENDER}.log").read_text())
    sending = time.perf_counter() - begun
    try:
        await drained(pool)
    except TimeoutError:
        await judge.stop()
        raise AssertionError((folder / f"{JUDGE}.log").read_text()[-2_000:]) from None
    took = time.perf_counter() - begun
    await spent.look()
    await judge.stop()
    sent = await pool.fetchval("SELECT count(*) FROM message_ids") - before
    figures = {"sent_per_s": sent / sending, "judged_per_s": sent / took, "left_s": took - sending}
    figures |= {f"{name}_us": cpu / sent * 1e6 for name, cpu in spent.totals().items()}
    return figures | await lateness(pool, seen)


async def published(pool: Pool, url: str) -> float:
    """Publish all audiences; the seconds it takes to find who is in."""
    now = datetime.now(UTC)
    for number in range(AUDIENCES):
        audience = AUDIENCE.validate_python(definition(number))
        await audiences.publish(pool, audience, str(number), now - timedelta(minutes=1))
    clock = Clock()
    evaluation = Evaluation(url, pool, Catalogs(), clock)
    begun = time.perf_counter()
    for row in await audiences.listed(pool):
        await evaluation.find(row, clock.now())
    return time.perf_counter() - begun


async def drained(pool: Pool) -> None:
    """Return once everything is routed and judged."""
    async with asyncio.timeout(SETTLE):
        while await pool.fetchval(
            "SELECT EXISTS (SELECT FROM inbox) OR EXISTS (SELECT FROM audience_queue)"
        ):
            await asyncio.sleep(0.1)


async def lateness(pool: Pool, seen: int) -> dict[str, float]:
    """From the receipt of an event to the commit of a change by it, of those after `seen`."""
    late = await pool.fetchrow(
        """
        SELECT count(*) AS many,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY late) AS p50,
               percentile_cont(0.99) WITHIN GROUP (ORDER BY late) AS p99
        FROM (
            SELECT extract(epoch FROM pg_xact_commit_timestamp(c.xmin) - e.received_at)::float8
                AS late
            FROM audience_changes c JOIN events e ON e.id = (c.why ->> 'event')::uuid
            WHERE c.why ? 'event' AND c.seq > $1
        ) x
        """,
        seen,
    )
    assert late is not None
    return {
        "changes": float(late["many"]),
        "changes_p50_ms": (late["p50"] or 0) * 1e3,
        "changes_p99_ms": (late["p99"] or 0) * 1e3,
    }


async def run(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    """On a base in that folder."""
    size = (given.customers, given.events)
    async with base(folder / "postgres", size, print) as server, open_pool(server.url, 2) as pool:
        if not await audiences.listed(pool):
            found = await published(pool, server.url)
            print(f"members of {AUDIENCES} audiences found in {found:.1f} s")
            await pool.execute("VACUUM (ANALYZE)")
        customers = await pool.fetchval("SELECT count(*) FROM customers")
        return await streamed(
            pool, server.url, customers, folder, given.rate, given.seconds, given.warm
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--warm", type=float, default=WARM)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parcours-streaming-") as folder:
        print(table(uvloop.run(run(given.base or Path(folder), given))))


if __name__ == "__main__":
    main()
