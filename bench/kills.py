"""What is lost or doubled when processes are killed with -9 at random instants.

    python -m bench.kills [--runs 10] [--count 1500] [--kills 4] [--victims worker,api,temporal]

One event a customer, one message an instance; the worker (or another victim) is killed again and
again meanwhile and started anew. At the end every message is held against the mailbox: accepted
once, or named `unknown` in the ledger.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from bench.line import Line
from bench.outcome import Outcome, held_against
from bench.servers import Process, Servers, ready, servers
from bench.signups import known_customers
from bench.whole import TEMPLATES
from embedded.temporal import port_near
from storage import journeys
from storage.connection import prepare

STUCK = 120.0  # seconds after the last kill in which everything must have come to its end


def journey(guarantee: str) -> dict[str, object]:
    """One message, with the guarantee that is shown."""
    return {
        "journey": f"kills-{guarantee.replace('_', '-')}",
        "guarantee": guarantee,
        "entry": {"event": "Signed Up"},
        "steps": [{"id": "hello", "kind": "send", "channel": "email", "template": "hello"}],
    }


async def run(
    up: Servers,
    guarantee: str,
    count: int,
    kills: int,
    victims: Sequence[str],
    note: Callable[[str], None],
) -> Outcome:
    """Post `count` events while `kills` processes are killed."""
    connection = await asyncpg.connect(up.postgres.url)
    await prepare(connection)
    definition, now = journey(guarantee), datetime.now(UTC)
    await journeys.publish(
        connection, str(definition["journey"]), "kills", definition, TEMPLATES, now
    )
    port = port_near(0)
    environment = {
        "PARCOURS_DATABASE_URL": up.postgres.url,
        "PARCOURS_TEMPORAL_ADDRESS": up.temporal.address,
        "PARCOURS_SMTP_URL": f"smtp://127.0.0.1:{up.mailbox.port}",
        "PARCOURS_HTTP_PORT": str(port),
    }
    processes = {
        name: Process([name], environment, up.directory / f"{name}.log")
        for name in ("api", "worker")
    }
    for process in processes.values():
        await process.start()
    processes["temporal"] = up.temporal_server
    try:
        await ready(port)
        await known_customers(port, count, up)
        posting = asyncio.create_task(post_all(port, count))
        killing = asyncio.create_task(
            kill_all(processes, victims, kills, up, connection, count, note)
        )
        await posting
        recovery = await killing
        stuck = await ended(connection, count)
    finally:
        for name in ("api", "worker"):
            await processes[name].stop()
    outcome = await held_against(connection, up, guarantee, count, stuck, kills, recovery)
    await connection.close()
    return outcome


async def post_all(port: int, count: int) -> None:
    """Post every event, again with the same message id until it was accepted."""
    number = 0
    while number < count:
        try:
            async with Line.open(port) as line:
                while number < count:
                    await line.post("/v1/track", signup(number))
                    number += 1
                    await asyncio.sleep(0.004)
        except (OSError, EOFError, AssertionError):
            await asyncio.sleep(0.1)


def signup(number: int) -> dict[str, object]:
    """The event of one customer, the same however often it is posted."""
    return {
        "messageId": f"signup-{number}",
        "userId": f"user-{number}",
        "event": "Signed Up",
        "properties": {"seats": 3},
    }


async def kill_all(
    processes: dict[str, Process],
    victims: Sequence[str],
    kills: int,
    up: Servers,
    connection: asyncpg.Connection,
    count: int,
    note: Callable[[str], None],
) -> float:
    """Kill at random instants while mails flow; the longest time until the next mail, in seconds.

    After a kill that comes when everything is done there is no next mail, and nothing to measure.
    """
    recovery = 0.0
    for number in range(kills):
        share = (number + random.random()) / (kills + 0.5)
        while up.mailbox.count < count * share:
            await asyncio.sleep(0.01)
        await asyncio.sleep(random.uniform(0, 0.3))
        victim = random.choice(victims)
        note(f"kill -9 of the {victim} after {up.mailbox.count} mails")
        await processes[victim].kill()
        before, killed = up.mailbox.count, time.perf_counter()
        await processes[victim].start()
        while up.mailbox.count == before and await not_ended(connection, count):
            if time.perf_counter() - killed > STUCK:
                break
            await asyncio.sleep(0.01)
        recovery = max(recovery, time.perf_counter() - killed)
    return recovery


async def ended(connection: asyncpg.Connection, count: int) -> int:
    """Wait until every instance has ended; how many have not when time is up."""
    until = time.perf_counter() + STUCK
    while (left := await not_ended(connection, count)) and time.perf_counter() < until:
        await asyncio.sleep(0.2)
    return left


async def not_ended(connection: asyncpg.Connection, count: int) -> int:
    """How many of the instances there will be have not ended, or have an event to be routed."""
    done = await connection.fetchval("SELECT count(*) FROM instances WHERE ended_at IS NOT NULL")
    waiting = await connection.fetchval("SELECT count(*) FROM inbox")
    return count - int(done) + int(waiting)


async def measured(
    guarantees: Sequence[str],
    runs: int,
    count: int,
    kills: int,
    victims: Sequence[str],
    note: Callable[[str], None] = print,
) -> list[Outcome]:
    """Every run on servers of its own."""
    outcomes = []
    for guarantee in guarantees:
        for _ in range(runs):
            with tempfile.TemporaryDirectory(prefix="parcours-kills-") as folder:
                async with servers(Path(folder)) as up:
                    outcomes.append(await run(up, guarantee, count, kills, victims, note))
                    note(str(asdict(outcomes[-1])))
    return outcomes


def main() -> None:
    """Kill, and print what became of every message; exit 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--victims", default="worker")
    parser.add_argument("--guarantee", default="at_most_once,at_least_once")
    options = parser.parse_args()
    outcomes = uvloop.run(
        measured(
            options.guarantee.split(","),
            options.runs,
            options.count,
            options.kills,
            options.victims.split(","),
        )
    )
    columns = list(asdict(outcomes[0]))
    table = Table(*columns, "holds")
    for one in outcomes:
        values = [f"{value:.1f}" if isinstance(value, float) else str(value)
                  for value in asdict(one).values()]  # fmt: skip
        table.add_row(*values, "yes" if one.holds else "NO")
    Console().print(table)
    raise SystemExit(0 if all(one.holds for one in outcomes) else 1)


if __name__ == "__main__":
    main()
