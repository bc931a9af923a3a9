"""`parcours up` as a process: who starts, finds, restarts and ends what."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PARCOURS_")}
    return ours | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PARCOURS_DATA_DIR": str(folder / "data"),
        "PARCOURS_HTTP_PORT": str(port),
        "PARCOURS_TEMPORAL_CLI": os.environ.get("PARCOURS_TEMPORAL_CLI", ""),
    }


@asynccontextmanager
async def up(environment: dict[str, str]) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A running `parcours up` and what it said until it was up; ended by SIGINT if still there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "cli.main",
        "up",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C stops" not in said:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line, said
        said += line.decode()
    try:
        yield process, said
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 60)


def of_directory(data: str) -> list[psutil.Process]:
    """Every process that was started for this data directory and still runs."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        seen = process.info
        mine = data in " ".join(seen["cmdline"] or []) or (
            (seen["environ"] or {}).get("PARCOURS_DATA_DIR") == data
        )
        if mine and seen["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


async def test_keys_are_shown_once_and_ctrl_c_leaves_nothing(environment: dict[str, str]) -> None:
    data = environment["PARCOURS_DATA_DIR"]

    async with up(environment) as (_, first):
        running = of_directory(data)
    left = of_directory(data)
    async with up(environment) as (_, second):
        pass

    assert len(running) >= 4
    assert left == []
    assert re.search(r"PARCOURS_WRITE_KEY=\S+\n\s+PARCOURS_ADMIN_KEY=\S+", first)
    assert "_KEY=" not in second


async def test_start_after_kill_9_recovers_with_the_data(environment: dict[str, str]) -> None:
    data = Path(environment["PARCOURS_DATA_DIR"])
    address = f"postgresql://postgres@/postgres?host={data / 'postgres'}"
    async with up(environment) as (process, _):
        before = json.loads((data / "children.json").read_text())
        connection = await asyncpg.connect(address)
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        await connection.close()
        process.kill()
        await process.wait()

    async with up(environment) as (_, said):
        after = json.loads((data / "children.json").read_text())
        connection = await asyncpg.connect(address)
        kept = await connection.fetchval("SELECT one FROM kept")
        await connection.close()

    assert kept == 1
    assert "left_over_ended" in said
    assert not {child["pid"] for child in before} & {child["pid"] for child in after}
    assert of_directory(str(data)) == []


async def test_taken_port_is_named(environment: dict[str, str]) -> None:
    port = int(environment["PARCOURS_HTTP_PORT"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "cli.main", "up",
            stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        _, said = await process.communicate()

    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}".encode() in said
    assert b"Traceback" not in said
