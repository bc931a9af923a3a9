"""Keeps child processes running: starts them, starts them again when they die, ends them all."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import structlog

from embedded.errors import StartFailedError
from embedded.record import Record, Recorded, lock, send

log = structlog.get_logger("embedded.children")

GRACE = 10.0  # a child may finish what it does before it is killed
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
STEADY = 10.0  # who ran this long did not die of its start
LARGEST_LOG = 20 * 1024 * 1024


@dataclass(frozen=True)
class Child:
    """What to run: a name that is unique here, a command, and the environment it sees."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Children:
    """The processes of one data directory, as an asynchronous context: leaving it ends them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.record = Record(self.directory)
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock: TextIO | None = None

    async def __aenter__(self) -> Self:
        self._lock = lock(self.directory)
        self.logs.mkdir(exist_ok=True)
        for name in await asyncio.to_thread(self.record.end_leftovers):
            log.info("child.left_over_ended", child=name)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop_all()
        if self._lock is not None:
            self._lock.close()

    @property
    def logs(self) -> Path:
        """Where each child's output goes, to a file of its name."""
        return self.directory / "logs"

    async def start(self, child: Child) -> None:
        """Run a child from now on, whatever happens to it."""
        self._spawn(child)
        self._keepers[child.name] = asyncio.create_task(self._keep(child), name=child.name)

    async def stop_all(self) -> None:
        """End every child for good, the last one started first."""
        for name in reversed(list(self._keepers)):
            await self.stop(name)

    async def stop(self, name: str) -> None:
        """End a child for good: politely, then not."""
        keeper = self._keepers.pop(name)
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        process = self._running.pop(name, None)
        if process is not None and process.poll() is None:
            send(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(end_of(process), GRACE)
            if process.poll() is None:
                send(process.pid, signal.SIGKILL)
                await end_of(process)
        self.record.remove(name)

    def pid(self, name: str) -> int | None:
        """The process id of a child at this moment."""
        process = self._running.get(name)
        return process.pid if process is not None and process.poll() is None else None

    def tail(self, name: str, lines: int = 12) -> str:
        """The end of a child's log, to be shown when it fails."""
        file = self.logs / f"{name}.log"
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    async def wait_for(self, name: str, ready: asyncio.Future[None]) -> None:
        """Await `ready`, but fail with the child's last words when the child ends before."""
        ended = asyncio.ensure_future(end_of(self._running[name]))
        try:
            both: set[asyncio.Future[Any]] = {ended, ready}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise StartFailedError(f"{name} ended with code {await ended}")
            await ready
        except StartFailedError as error:
            raise StartFailedError(f"{error}; its last words:\n{self.tail(name)}") from None
        finally:
            ended.cancel()
            ready.cancel()

    def _spawn(self, child: Child) -> None:
        with self._log_file(child.name).open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 our own commands
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **child.environment},
                start_new_session=True,
            )
        self._running[child.name] = process
        self.record.add(Recorded.of(child.name, process.pid))

    async def _keep(self, child: Child) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = await end_of(self._running[child.name])
            if time.monotonic() - began > STEADY:
                pause = FIRST_PAUSE
            log.warning("child.ended", child=child.name, code=code, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                self._spawn(child)
            except OSError as error:  # the program is being replaced: it may be back
                log.warning("child.not_started", child=child.name, error=str(error))

    def _log_file(self, name: str) -> Path:
        file = self.logs / f"{name}.log"
        if file.exists() and file.stat().st_size > LARGEST_LOG:
            file.rename(file.with_suffix(".log.1"))
        return file


async def end_of(process: subprocess.Popen[bytes]) -> int:
    """The code with which a process ends. Asked for, as a cancelled wait must not lose it."""
    while (code := process.poll()) is None:  # noqa: ASYNC110 nothing tells but asking
        await asyncio.sleep(0.03)
    return code
