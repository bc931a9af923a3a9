"""What it costs to have an audience enter a journey, beside the engine's floor of the same run.

The journey is the one of `bench.whole`, and then a wait: without, a broadcast would do for it. So
each is an instance, a mail accepted over SMTP and a timer, which the floor does not have.
"""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psutil

from audiences.definition import AUDIENCE
from bench.floor import floor
from bench.servers import Servers, measured, module, servers
from bench.whole import JOURNEY, NAME, TEMPLATES
from journeys.identity import CustomerId
from routing.occasions import requested
from routing.registry import Registry
from storage import audiences, customers, journeys, members
from storage.customers import Written
from storage.pool import Pool
from storage.pool import pool as open_pool
from workflows.client import Engine
from workflows.connect import Address, connect
from workflows.converter import CLIENT_CONVERTER
from workflows.run import RunStart

AUDIENCE_NAME = "everybody"
WARM = 100
AT_ONCE = 50


async def run(count: int) -> dict[str, float]:
    """Instances a second and CPU an instance, of the floor and of a run."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder:
        async with servers(Path(folder)) as up:
            figures = await floor(up, count, AT_ONCE)
        Path(folder, "runs").mkdir()
        async with servers(Path(folder, "runs")) as up:
            figures |= await entered(up, count)
    floors = sum(value for name, value in figures.items() if is_cpu(name, "floor"))
    whole = sum(value for name, value in figures.items() if is_cpu(name, "entered"))
    return {
        **figures,
        "rate_to_floor": figures["entered_per_s"] / figures["floor_per_s"],
        "cpu_to_floor": whole / floors,
    }


def is_cpu(name: str, of: str) -> bool:
    """Whether it is the CPU that a process used for one of these."""
    return name.startswith(f"{of}_") and name.endswith("_ms") and "alone" not in name


async def entered(up: Servers, count: int) -> dict[str, float]:
    """A run over an audience of that size, from its beginning to the last mail."""
    async with open_pool(up.postgres.url, 4) as pool:
        await settle(pool, count)
        environment = {
            "PARCOURS_DATABASE_URL": up.postgres.url,
            "PARCOURS_TEMPORAL_ADDRESS": up.temporal.address,
            "PARCOURS_SMTP_URL": f"smtp://127.0.0.1:{up.mailbox.port}",
        }
        async with module("worker", environment, up.directory / "worker.log") as worker:
            processes: dict[str, tuple[psutil.Process, bool]] = {
                **up.processes(), "worker": (worker, False),
            }  # fmt: skip
            await asyncio.sleep(3)
            used: dict[str, float] = {}
            before, begun = up.mailbox.count, time.perf_counter()
            with measured(processes, used):
                await begin(pool, up)
                async with asyncio.timeout(600):
                    while up.mailbox.count - before < count:
                        await asyncio.sleep(0.01)
            spent = time.perf_counter() - begun
    return {
        "entered_per_s": count / spent,
        **{f"entered_{name}_ms": seconds / count * 1e3 for name, seconds in used.items()},
    }


async def settle(pool: Pool, count: int) -> None:
    """So many customers with addresses, all in one list that a journey is entered by."""
    now = datetime.now(UTC)
    made = [CustomerId(uuid4()) for _ in range(count)]
    await customers.create(pool, made, now)
    traits = [
        {"email": f"user-{number}@customers.example", "first_name": "Ada"}
        for number in range(count)
    ]
    times = dict.fromkeys(("email", "first_name"), now.timestamp())
    await customers.write(
        pool, [Written(id, values, times) for id, values in zip(made, traits, strict=True)]
    )
    given = {"audience": AUDIENCE_NAME, "kind": "list"}
    await audiences.publish(pool, AUDIENCE.validate_python(given), "bench", now)
    await members.join(pool, AUDIENCE_NAME, made, now, {"condition": "made for the bench"})
    entry = {"audience": AUDIENCE_NAME, "schedule": {"cron": "0 3 1 1 *"}}
    steps = [*JOURNEY["steps"], {"id": "later", "kind": "wait", "duration": "30d"}]
    journey = {**JOURNEY, "entry": entry, "steps": steps}
    template = {**TEMPLATES["hello"], "parts": {
        "subject": "Hello {{ customer.first_name }}",
        "text": "Hello {{ customer.first_name }}, thank you.",
    }}  # fmt: skip
    await journeys.publish(pool, NAME, "bench", journey, {"hello": template}, now)


async def begin(pool: Pool, up: Servers) -> None:
    """Have the audience enter now."""
    row = await journeys.get(pool, NAME)
    assert row is not None
    plan = await Registry().plan(pool, row.name, row.version)
    async with pool.acquire() as connection, connection.transaction():
        run = await requested(connection, uuid4(), plan, datetime.now(UTC))
    client = await connect(Address(up.temporal.address), CLIENT_CONVERTER, lazy=False)
    await Engine(client, eager=False).begin(
        run.workflow_id, RunStart(journey=run.journey, run=run.id)
    )
