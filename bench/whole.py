"""The whole way: an event over HTTP, routed, a durable instance, a mail accepted over SMTP."""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import httpx
import psutil
from temporalio.client import Client

from bench.line import Line
from bench.servers import Servers, measured, module
from embedded.temporal import port_near
from storage import journeys
from storage.pool import prepare

NAME = "one-message"
JOURNEY = {
    "journey": NAME,
    "class": "marketing",
    "entry": {"event": "Signed Up", "when": "event.plan == 'pro' && event.seats >= 1.0"},
    "steps": [{"id": "hello", "kind": "send", "channel": "email", "template": "hello"}],
}
TEMPLATES = {
    "hello": {
        "name": "hello",
        "channel": "email",
        "parts": {
            "subject": "Hello {{ customer.first_name }}",
            "text": "Hello {{ customer.first_name }}, thank you for {{ entry.seats }} seats.",
        },
    }
}


async def whole(servers: Servers, count: int, at_once: int) -> dict[str, float]:
    """Journeys a second and alone, statements and history events a journey, CPU a journey."""
    connection = await asyncpg.connect(servers.postgres.url)
    await publish(connection)
    port = port_near(0)
    environment = {
        "PARCOURS_DATABASE_URL": servers.postgres.url,
        "PARCOURS_TEMPORAL_ADDRESS": servers.temporal.address,
        "PARCOURS_SMTP_URL": f"smtp://127.0.0.1:{servers.mailbox.port}",
        "PARCOURS_HTTP_PORT": str(port),
    }
    folder = servers.directory
    async with (
        module("api", environment, folder / "api.log") as api,
        module("worker", environment, folder / "worker.log") as worker,
    ):
        await ready(port)
        await known_customers(port, count + 200, servers)
        await posted(port, servers, range(count, count + 100), at_once)
        used: dict[str, float] = {}
        processes: dict[str, tuple[psutil.Process, bool]] = {
            **servers.processes(), "api": (api, False), "worker": (worker, False),
        }  # fmt: skip
        with measured(processes, used):
            begun = time.perf_counter()
            await posted(port, servers, range(count), at_once)
            spent = time.perf_counter() - begun
        alone = await alone_ms(port, servers, range(count + 100, count + 160))
        statements = await statements_each(connection, port, servers, count + 160)
    events = await history_events(servers)
    await connection.close()
    return {
        "whole_per_s": count / spent,
        "alone_p50_ms": alone[len(alone) // 2],
        "alone_p90_ms": alone[int(len(alone) * 0.9)],
        "statements": statements,
        "history_events": events,
        **{f"whole_{name}_ms": seconds / count * 1e3 for name, seconds in used.items()},
    }


async def publish(connection: asyncpg.Connection) -> None:
    """The one-message journey, without the API: what is measured is not publishing."""
    await prepare(connection)
    await journeys.publish(connection, NAME, "bench", JOURNEY, TEMPLATES, datetime.now(UTC))


async def ready(port: int) -> None:
    """Return once everything can serve."""
    async with asyncio.timeout(60), httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


async def known_customers(port: int, count: int, servers: Servers) -> None:
    """Customers who are known when their journeys begin."""
    line = await Line.open(port)
    for start in range(0, count, 200):
        batch = [
            {"type": "identify", "messageId": f"identify-{number}", "userId": f"user-{number}",
             "traits": {"email": f"user-{number}@customers.example", "first_name": "Ada"}}
            for number in range(start, min(start + 200, count))
        ]  # fmt: skip
        await line.post("/v1/batch", {"batch": batch})
    await drained(servers)


async def drained(servers: Servers) -> None:
    """Return once every event is routed."""
    connection = await asyncpg.connect(servers.postgres.url)
    async with asyncio.timeout(120):
        while await connection.fetchval("SELECT count(*) FROM inbox"):
            await asyncio.sleep(0.1)
    await connection.close()


async def post(line: Line, number: int) -> None:
    """One customer signs up."""
    await line.post("/v1/track", {
        "messageId": uuid4().hex, "userId": f"user-{number}", "event": "Signed Up",
        "properties": {"plan": "pro", "seats": 3},
    })  # fmt: skip


async def posted(port: int, servers: Servers, numbers: Iterable[int], at_once: int) -> None:
    """Post an event for each, at most `at_once` journeys in flight, until every mail has come."""
    wanted, sent = list(numbers), 0
    before = servers.mailbox.count
    left = iter(wanted)

    async def lane() -> None:
        nonlocal sent
        line = await Line.open(port)
        for number in left:
            while sent - (servers.mailbox.count - before) >= at_once:
                await asyncio.sleep(0.002)
            sent += 1
            await post(line, number)

    await asyncio.gather(*(lane() for _ in range(8)))
    async with asyncio.timeout(120):
        while servers.mailbox.count - before < len(wanted):
            await asyncio.sleep(0.005)


async def alone_ms(port: int, servers: Servers, numbers: Iterable[int]) -> list[float]:
    """One at a time: from the request to the mail's acceptance, sorted."""
    line, times = await Line.open(port), []
    for number in numbers:
        before, begun = servers.mailbox.count, time.perf_counter()
        await post(line, number)
        while servers.mailbox.count == before:
            await asyncio.sleep(0.0005)
        times.append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(0.05)
    return sorted(times)


async def statements_each(
    connection: asyncpg.Connection, port: int, servers: Servers, first: int
) -> float:
    """Statements a journey when journeys come one at a time, counted in Postgres's own log."""
    line = await Line.open(port)
    before = await noted(connection, servers, 3.0, line, [])
    after = await noted(connection, servers, 3.0, line, [first + n for n in range(20)])
    return (after - before) / 20


async def noted(
    connection: asyncpg.Connection,
    servers: Servers,
    seconds: float,
    line: Line,
    numbers: list[int],
) -> int:
    """How many statements Postgres logged during some seconds with these events in them."""
    server_log = servers.postgres.path / "server.log"
    await connection.execute("ALTER SYSTEM SET log_statement = 'all'")
    await connection.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.2)
    start = server_log.stat().st_size
    until = time.perf_counter() + seconds
    for number in numbers:
        await post(line, number)
        await asyncio.sleep(0.12)
    await asyncio.sleep(max(0.0, until - time.perf_counter()))
    with server_log.open("rb") as log:
        log.seek(start)
        lines = log.read().splitlines()
    await connection.execute("ALTER SYSTEM RESET log_statement")
    await connection.execute("SELECT pg_reload_conf()")
    return sum(b"LOG:  execute" in line or b"LOG:  statement" in line for line in lines)


async def history_events(servers: Servers) -> float:
    """History events of the last journeys, on average."""
    client = await Client.connect(servers.temporal.address)
    lengths = []
    async for one in client.list_workflows("WorkflowType = 'Journey'", limit=50):
        lengths.append(one.history_length)
    return sum(lengths) / len(lengths)
