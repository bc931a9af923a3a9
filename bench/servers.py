"""The servers that a measurement of journeys needs, on files and durable, with CPU by process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import psutil

from bench.ingest import KEY, cpu_of
from embedded import program
from embedded.mailbox import Mailbox
from embedded.postgres import Postgres
from embedded.temporal import TemporalServer, port_near
from storage import installation, keys, migrate

ROOT = Path(__file__).parent.parent


class Process:
    """One process that can be killed with -9 and started again."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command if len(command) > 1 else [sys.executable, "-m", *command]
        self._environment = environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def watched(self) -> psutil.Process:
        """The process as psutil sees it."""
        return psutil.Process(self._running.pid)

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self._command} was never started")
        return self._process

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._running.returncode is None

    async def ended(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return await self._running.wait()

    async def start(self) -> None:
        """Run it."""
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, cwd=ROOT, env={**os.environ, **self._environment},
                stdout=output, stderr=output,
            )  # fmt: skip

    async def kill(self) -> None:
        """kill -9."""
        self._running.kill()
        await self._running.wait()

    async def stop(self) -> None:
        """End it in order."""
        if self._running.returncode is None:
            self._running.terminate()
            await self._running.wait()


@dataclass
class Servers:
    """Postgres, Temporal and a mailbox, and what is needed to watch them."""

    postgres: Postgres
    temporal: TemporalServer
    temporal_server: Process
    mailbox: Mailbox
    directory: Path

    def processes(self) -> dict[str, tuple[psutil.Process, bool]]:
        """Who uses CPU; whether children count as well."""
        postmaster = self.postgres.postmaster()
        assert postmaster is not None
        return {
            "postgres": (postmaster, True),
            "temporal": (self.temporal_server.watched, False),
            "bench_and_mailbox": (psutil.Process(), False),
        }


@asynccontextmanager
async def servers(directory: Path) -> AsyncIterator[Servers]:
    """Everything up, with the schema and a write key."""
    postgres = Postgres(directory / "postgres")
    postgres.start()
    connection = await asyncpg.connect(postgres.url)
    now = datetime.now(UTC)
    await migrate.apply(connection)
    await migrate.extend_partitions(connection, now)
    await installation.ensure(connection, now)
    await keys.add(connection, "write", "bench", KEY, now)
    await connection.close()
    mailbox = Mailbox(None)
    await mailbox.start()
    temporal = TemporalServer(program.find(), directory / "temporal.db", port_near(0))
    process = Process(temporal.command(), {}, directory / "temporal.log")
    await process.start()
    try:
        await temporal.wait_ready()
        yield Servers(postgres, temporal, process, mailbox, directory)
    finally:
        await process.stop()
        await mailbox.stop()
        postgres.stop()


@asynccontextmanager
async def module(
    name: str, environment: Mapping[str, str], log: Path
) -> AsyncIterator[psutil.Process]:
    """One of our processes, ended at the end."""
    process = Process([name], environment, log)
    await process.start()
    try:
        yield process.watched
    finally:
        await process.stop()


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


@contextmanager
def measured(
    processes: Mapping[str, tuple[psutil.Process, bool]], into: dict[str, float]
) -> Iterator[None]:
    """CPU seconds that each process used within."""
    before = {name: cpu_of(of, family=family) for name, (of, family) in processes.items()}
    yield
    for name, (of, family) in processes.items():
        into[name] = cpu_of(of, family=family) - before[name]
