"""The whole way: an event over HTTP, routed, a durable instance, a mail accepted over SMTP."""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import asyncpg
import psutil
from temporalio.client import Client

from bench.line import Line
from bench.servers import Servers, measured, module, ready
from bench.signups import known_customers, post, posted
from bench.statements import statements_each
from embedded.temporal import port_near
from storage import journeys
from storage.connection import prepare

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


async def alone_ms(port: int, servers: Servers, numbers: Iterable[int]) -> list[float]:
    """One at a time: from the request to the mail's acceptance, sorted."""
    times = []
    async with Line.open(port) as line:
        for number in numbers:
            before, begun = servers.mailbox.count, time.perf_counter()
            await post(line, number)
            while servers.mailbox.count == before:
                await asyncio.sleep(0.0005)
            times.append((time.perf_counter() - begun) * 1e3)
            await asyncio.sleep(0.05)
    return sorted(times)


async def history_events(servers: Servers) -> float:
    """History events of the last journeys, on average."""
    client = await Client.connect(servers.temporal.address)
    lengths = []
    async for one in client.list_workflows("WorkflowType = 'Journey'", limit=50):
        lengths.append(one.history_length)
    return sum(lengths) / len(lengths)
