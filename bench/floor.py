"""The engine's floor: a workflow by hand, with one local activity that keeps a ledger and mails.

Started without HTTP, from the worker's own process, with eager start: what is left is Temporal's.
"""

import asyncio
import time
from datetime import timedelta
from uuid import UUID, uuid4

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from bench.servers import Servers, measured
from channels import Route, open_providers
from channels.base import Outgoing
from storage.pool import Pool
from storage.pool import pool as open_pool

QUEUE = "floor"


class Mailer:
    """The one local activity."""

    def __init__(self, pool: Pool, port: int) -> None:
        self._pool = pool
        self._provider = open_providers({"email": Route(f"smtp://127.0.0.1:{port}")})["email"]

    @activity.defn(name="mail")
    async def mail(self, id: str) -> str:
        """Write `sending`, mail, write `accepted`."""

        async def commit() -> bool:
            await self._pool.execute(
                "INSERT INTO floor (id, state) VALUES ($1, 'sending')", UUID(id)
            )
            return True

        outgoing = Outgoing(
            id=UUID(id), channel="email", address="floor@customers.example",
            parts={"subject": "Hello", "text": "Hello there."}, sender="bench@parcours.localhost",
            instance=UUID(id), journey="floor", step="send",
        )  # fmt: skip
        await self._provider.send(outgoing, commit)
        await self._pool.execute("UPDATE floor SET state = 'accepted' WHERE id = $1", UUID(id))
        return "accepted"

    async def close(self) -> None:
        """Let go of connections."""
        await self._provider.close()


@workflow.defn(name="Floor")
class Floor:
    """The workflow written by hand."""

    @workflow.run
    async def run(self, id: str) -> str:
        """One local activity."""
        sent: str = await workflow.execute_local_activity(
            "mail", id, result_type=str, start_to_close_timeout=timedelta(seconds=10)
        )
        return sent


async def floor(servers: Servers, count: int, at_once: int) -> dict[str, float]:
    """Journeys a second and alone, and CPU a journey."""
    client = await Client.connect(servers.temporal.address)
    async with open_pool(servers.postgres.url, 20) as pool:
        await pool.execute("CREATE TABLE floor (id uuid PRIMARY KEY, state text NOT NULL)")
        mailer = Mailer(pool, servers.mailbox.port)
        async with Worker(
            client, task_queue=QUEUE, workflows=[Floor], activities=[mailer.mail],
            workflow_runner=UnsandboxedWorkflowRunner(), max_cached_workflows=2000,
            max_concurrent_workflow_tasks=200, max_concurrent_local_activities=200,
        ):  # fmt: skip
            await started(client, at_once, 50)
            used: dict[str, float] = {}
            before = servers.mailbox.count
            with measured(servers.processes(), used):
                begun = time.perf_counter()
                await started(client, at_once, count)
                spent = time.perf_counter() - begun
            if servers.mailbox.count - before != count:
                raise AssertionError(f"{servers.mailbox.count - before} of {count} mails came")
            alone = await alone_ms(client, 60)
        await mailer.close()
    return {
        "floor_per_s": count / spent,
        "floor_alone_p50_ms": alone,
        **{f"floor_{name}_ms": seconds / count * 1e3 for name, seconds in used.items()},
    }


async def started(client: Client, at_once: int, count: int) -> None:
    """Run `count` workflows, `at_once` in flight, and wait until all have ended."""
    left = iter(range(count))

    async def lane() -> None:
        for _ in left:
            id = str(uuid4())
            handle = await client.start_workflow(
                "Floor", id, id=id, task_queue=QUEUE, request_eager_start=True
            )
            await handle.result()

    await asyncio.gather(*(lane() for _ in range(at_once)))


async def alone_ms(client: Client, count: int) -> float:
    """The median of one workflow at a time, from the start to the result."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        await started(client, 1, 1)
        times.append((time.perf_counter() - begun) * 1e3)
    return sorted(times)[count // 2]
