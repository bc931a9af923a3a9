"""What the demo plays on: an installation of its own in made-up time, and a local mailbox."""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.errors import CommandError
from cli.running import Running, running
from clock import Clock
from embedded.children import Child
from embedded.postgres import Postgres
from embedded.record import Record, lock
from embedded.temporal import port_near
from settings import PREFIX, Settings

DAYS = timedelta(days=35)
SCALE = 24_000.0  # a day takes 3.6 seconds
BEFORE = DAYS + timedelta(days=2)  # made-up time begins this long before now: it ends about now
SMTP_PORT = 1025
WORKER = "worker-1"
KEPT = {"lock"}

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and where the mails go."""

    system: Running
    clock: Clock
    mails: Path

    @property
    def write_key(self) -> str:
        """The key that events are posted with."""
        return self.system.keys_made["write"]

    @property
    def admin_key(self) -> str:
        """The key for everything else."""
        return self.system.keys_made["admin"]


@asynccontextmanager
async def raised(settings: Settings, note: Note) -> AsyncIterator[Stage]:
    """Start all of it on an empty data directory; end all of it on leaving."""
    directory = (settings.data_dir / "demo").absolute()
    wipe(directory)
    smtp = port_near(SMTP_PORT)
    mails = directory / "mailbox.mbox"
    settings = of_the_demo(settings, directory, smtp)
    now = datetime.now(UTC)
    clock = Clock(now, now - BEFORE, SCALE)
    async with running(settings, clock=clock, note=note) as system:
        await system.children.start(Child("mailbox", mailbox(smtp, mails)))
        yield Stage(system, clock, mails)


def wipe(directory: Path) -> None:
    """End what a killed demo has left behind here, and remove all that it has written."""
    with lock(directory):
        Record(directory).end_leftovers()
        Postgres(directory / "postgres", durable=False).stop()
        for left in directory.iterdir():
            if left.name in KEPT:
                continue
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()


def of_the_demo(settings: Settings, directory: Path, smtp: int) -> Settings:
    """Settings that share nothing with a real installation, for us and for our children.

    Those of the environment and of a `.env` file would reach the children too, so they are put
    out of sight.
    """
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        del os.environ[name]
    os.chdir(directory)
    return Settings.model_validate({
        "data_dir": directory,
        "http_port": port_near(settings.http_port),
        "smtp_url": f"smtp://127.0.0.1:{smtp}",
        "temporal_cli": settings.temporal_cli,
        "late_event_limit": DAYS,
        "log_format": settings.log_format,
    })


def mailbox(port: int, path: Path) -> list[str]:
    """The command line of the SMTP server that keeps every mail."""
    command = [sys.executable, "-P", "-m", "embedded.mailbox"]
    return [*command, "--port", str(port), "--path", str(path)]


def examples() -> list[Path]:
    """The journey files that the demo publishes."""
    found = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.yaml"))
    if not found:
        raise CommandError("the demo plays the journeys in examples/: run it in a clone")
    return found
