"""Temporal's development server on one SQLite file: how it is started and when it is ready."""

import asyncio
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from embedded.errors import StartFailedError

HOST = "127.0.0.1"
SEARCH_ATTRIBUTES = {
    "ParcoursJourney": "Keyword",
    "ParcoursVersion": "Int",
    "ParcoursCustomer": "Keyword",
}
# A third of the CPU a write, and durable: `full` also syncs the log at every commit.
WRITE_AHEAD = ("journal_mode=wal", "synchronous=full")
# Its default of 2,400 requests a second would be our limit.
UNLIMITED = {
    "frontend.namespaceRPS": "1000000",
    "frontend.rps": "1000000",
    "frontend.namespaceCount": "100000",
}
# Short timers fire on time: by default one under a second fires after a second.
PUNCTUAL = {"history.timerProcessorMaxTimeShift": '"10ms"'}
FOR_TESTS = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
}
READY = timedelta(seconds=60)


def port_near(wanted: int) -> int:
    """The wanted port if it is free, else any free one; 0 wants any."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise StartFailedError(f"no free port on {HOST}")


@dataclass(frozen=True)
class TemporalServer:
    """One development server: its command line, its addresses and its readiness."""

    program: Path
    database: Path | None  # in memory without
    port: int
    ui_port: int | None = None
    namespace: str = "default"
    dynamic: Mapping[str, str] | None = None
    log_level: str = "warn"

    @property
    def address(self) -> str:
        """Where clients and workers connect."""
        return f"{HOST}:{self.port}"

    @property
    def ui(self) -> str | None:
        """Where people look."""
        return None if self.ui_port is None else f"http://{HOST}:{self.ui_port}"

    def command(self) -> list[str]:
        """The command line that starts it."""
        command = [str(self.program), "server", "start-dev", "--ip", HOST]
        command += ["--port", str(self.port), "--log-level", self.log_level]
        command += ["--headless"] if self.ui_port is None else ["--ui-port", str(self.ui_port)]
        command += ["--namespace", self.namespace]
        if self.database is not None:
            command += ["--db-filename", str(self.database)]
            for pragma in WRITE_AHEAD:
                command += ["--sqlite-pragma", pragma]
        for name, kind in SEARCH_ATTRIBUTES.items():
            command += ["--search-attribute", f"{name}={kind}"]
        for key, value in (UNLIMITED | dict(self.dynamic or {})).items():
            command += ["--dynamic-config-value", f"{key}={value}"]
        return command

    async def wait_ready(self, within: timedelta = READY) -> None:
        """Return once the namespace answers."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while not await self._answers():  # noqa: ASYNC110 only asking tells
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise StartFailedError(
                f"Temporal at {self.address} is not ready after {within.seconds} s"
            ) from None

    async def _answers(self) -> bool:
        try:
            client = await Client.connect(self.address, namespace=self.namespace)
            asked = DescribeNamespaceRequest(namespace=self.namespace)
            await client.workflow_service.describe_namespace(asked, timeout=timedelta(seconds=2))
        except (RPCError, RuntimeError):
            return False
        return True

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Run it as a process of the caller's, who waits for it and stops it."""
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 the program we found
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server that `start` began."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
