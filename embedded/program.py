"""Finds the `temporal` program or makes it: PATH, our cache, the SDK's download, Go."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from embedded.errors import ProgramMissingError

Note = Callable[[str], None]

SOURCE = Path(__file__).resolve().parent.parent / "tools" / "temporal"
MODULE = "github.com/temporalio/cli/cmd/temporal"
OLDEST_SERVER = (1, 32)  # the first with time skipping per workflow
DOWNLOAD_LIMIT = 300.0
BUILD_NEWS = 30.0


class NotHereError(Exception):
    """One way to the program does not lead there; the text says why."""


def find(named: Path | None = None, note: Note = print) -> Path:
    """The program to start Temporal with; `named` is used or refused, never passed over."""
    if named is not None:
        try:
            return checked(named)
        except NotHereError as error:
            raise ProgramMissingError(
                f"PARCOURS_TEMPORAL_CLI: {error}; unset it to have one found"
            ) from None
    tried = []
    for title, way in (
        ("on PATH", on_path),
        ("built here before", built_before),
        ("the SDK's download", downloaded),
        ("a build with Go", lambda: built(note)),
    ):
        try:
            return way()
        except NotHereError as error:
            tried.append(f"  {title}: {error}")
    raise ProgramMissingError(
        "\n".join([
            "the `temporal` program is not to be had. Tried:",
            *tried,
            "Install the Temporal CLI and name it in PARCOURS_TEMPORAL_CLI, install Go 1.26, "
            "or set PARCOURS_TEMPORAL_ADDRESS to a Temporal of your own.",
        ])
    )


def checked(program: Path) -> Path:
    """The program itself, once it has said that its server is new enough."""
    try:
        asked = subprocess.run(  # noqa: S603 the program we are asked to use
            [program, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotHereError(f"{program} does not run: {error}") from None
    found = re.search(r"Server (\d+)\.(\d+)", asked.stdout)
    if found is None:
        raise NotHereError(f"{program} does not name its server: {asked.stdout.strip()!r}")
    if (int(found[1]), int(found[2])) < OLDEST_SERVER:
        raise NotHereError(f"{program} is too old: {found[0]}, wanted 1.32 or later")
    return program.absolute()


def on_path() -> Path:
    """The program on PATH."""
    program = shutil.which("temporal")
    if program is None:
        raise NotHereError("no `temporal` there")
    return checked(Path(program))


def cache() -> Path:
    """Where programs are kept between clones."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "parcours"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def target() -> Path:
    """Where the build of exactly these modules is kept."""
    try:
        sums = (SOURCE / "go.sum").read_bytes() + (SOURCE / "go.mod").read_bytes()
    except OSError:
        raise NotHereError(f"its Go modules are not in {SOURCE}") from None
    return cache() / f"temporal-{hashlib.sha256(sums).hexdigest()[:16]}"


def built_before() -> Path:
    """The program of an earlier build."""
    if not target().exists():
        raise NotHereError(f"{target()} does not exist")
    return checked(target())


def downloaded() -> Path:
    """The program that the SDK fetches, in a process of its own so that it cannot hang us."""
    folder = cache() / "download"
    folder.mkdir(exist_ok=True)
    try:
        fetched = subprocess.run(  # noqa: S603 our own module
            [sys.executable, "-P", "-m", "embedded.download", folder],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotHereError(f"not there after {DOWNLOAD_LIMIT:.0f} s") from None
    if fetched.returncode != 0:
        last = (fetched.stderr.strip().splitlines() or ["no word why"])[-1]
        raise NotHereError(last)
    return checked(max(folder.iterdir(), key=lambda file: file.stat().st_mtime))


def built(note: Note) -> Path:
    """The program, built from the pinned modules unless another process just did."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise NotHereError("no `go` on PATH")
    wanted = target()
    with (cache() / "temporal.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note("Another process is building the temporal program: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            build(go, wanted, note)
    return checked(wanted)


def build(go: str, wanted: Path, note: Note) -> None:
    """Run the Go compiler, saying now and then that it still runs."""
    log = cache() / "temporal-build.log"
    note(f"Building the temporal program with Go: some minutes, once ({log}).")
    fresh = wanted.with_name(f"{wanted.name}.new")
    command = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(fresh), MODULE]
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 the compiler
            command,
            cwd=SOURCE,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while still_runs(process):
                note(f"Still building the temporal program: {time.monotonic() - began:.0f} s.")
        finally:
            process.kill()
    if process.returncode != 0:
        raise NotHereError(f"{' / '.join(log.read_text(errors='replace').splitlines()[-3:])}")
    fresh.rename(wanted)


def still_runs(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process runs on after a while."""
    try:
        process.wait(BUILD_NEWS)
    except subprocess.TimeoutExpired:
        return True
    return False
