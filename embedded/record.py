"""Which processes a data directory has running, by pid and start time, so that none is lost."""

import fcntl
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import psutil
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from embedded.errors import DirectoryBusyError

SAME_START = 2.0  # seconds; the start time is computed from a clock that may be set meanwhile
GRACE = 5.0


class Recorded(BaseModel):
    """One process that was started: a pid means nothing without its start time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pid: int
    started: float

    @classmethod
    def of(cls, name: str, pid: int) -> "Recorded":
        """The record of a process that was started just now."""
        try:
            return cls(name=name, pid=pid, started=psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return cls(name=name, pid=pid, started=0.0)

    def process(self) -> psutil.Process | None:
        """The process, if it still is the one that was recorded."""
        with suppress(psutil.Error):
            found = psutil.Process(self.pid)
            if (
                abs(found.create_time() - self.started) < SAME_START
                and found.status() != psutil.STATUS_ZOMBIE
            ):
                return found
        return None


RECORDS = TypeAdapter(list[Recorded])


class Record:
    """The file `children.json` of a data directory."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "children.json"
        self.children: dict[str, Recorded] = {}

    def read(self) -> list[Recorded]:
        """What an earlier process has left here."""
        try:
            return RECORDS.validate_json(self.file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return []

    def add(self, child: Recorded) -> None:
        """Remember a process."""
        self.children[child.name] = child
        self._write()

    def remove(self, name: str) -> None:
        """Forget a process that has ended."""
        self.children.pop(name, None)
        self._write()

    def end_leftovers(self) -> list[str]:
        """End what a killed predecessor left running; the names of what was ended."""
        left = [(child.name, child.process()) for child in reversed(self.read())]
        running = [(name, process) for name, process in left if process is not None]
        for _, process in running:
            send(process.pid, signal.SIGTERM)
        for process in psutil.wait_procs([process for _, process in running], GRACE)[1]:
            send(process.pid, signal.SIGKILL)
        psutil.wait_procs([process for _, process in running], GRACE)
        self._write()
        return [name for name, _ in running]

    def _write(self) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_bytes(RECORDS.dump_json(list(self.children.values()), indent=2))
        fresh.rename(self.file)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a whole group: each child leads one of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def lock(directory: Path) -> TextIO:
    """Hold the directory until the file is closed or the process dies; one holder at a time."""
    directory.mkdir(parents=True, exist_ok=True)
    file = (directory / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = json.loads(file.read() or "null")
        file.close()
        raise DirectoryBusyError(
            f"another parcours (pid {holder}) works in {directory}: stop it, "
            "or set PARCOURS_DATA_DIR to another directory"
        ) from None
    file.truncate(0)
    file.write(json.dumps(os.getpid()))
    file.flush()
    return file
