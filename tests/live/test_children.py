"""Child processes: kept running, ended in order, and found again after a kill -9."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from embedded.children import Child, Children
from embedded.errors import DirectoryBusyError, StartFailedError

PARENT = Path(__file__).with_name("children_parent.py")
ROOT = Path(__file__).parents[2]


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@asynccontextmanager
async def parent_of_a_sleeper(directory: Path) -> AsyncIterator[tuple[int, int]]:
    """A supervisor in a process of its own: its pid, and its child's."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        PARENT,
        directory,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    child = int(await process.stdout.readline())
    try:
        yield process.pid, child
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_replaced(children: Children, name: str, old: int | None) -> float:
    began = time.monotonic()
    while children.pid(name) in {None, old}:
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_killed_child_is_back_within_a_second(tmp_path: Path) -> None:
    async with Children(tmp_path) as children:
        await children.start(Child("sleeper", ["sleep", "600"]))
        first = children.pid("sleeper")
        assert first is not None

        os.kill(first, signal.SIGKILL)
        took = await until_replaced(children, "sleeper", first)

        assert took < 1.0


async def test_leaving_ends_every_child_in_reverse_order(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    script = f"trap 'echo $NAME >> {trace}; exit' TERM; while :; do sleep 0.02; done"

    async with Children(tmp_path / "data") as children:
        for name in ("first", "second"):
            await children.start(Child(name, ["sh", "-c", script], {"NAME": name}))
        pids = [children.pid("first"), children.pid("second")]
        await asyncio.sleep(0.2)

    assert trace.read_text().split() == ["second", "first"]
    assert not any(is_running(pid) for pid in pids if pid is not None)
    assert json.loads((tmp_path / "data" / "children.json").read_text()) == []


async def test_a_start_after_kill_9_ends_what_was_left_running(tmp_path: Path) -> None:
    async with parent_of_a_sleeper(tmp_path) as (parent, child):
        os.kill(parent, signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert is_running(child)

        async with Children(tmp_path):
            assert not is_running(child)


async def test_a_pid_that_now_belongs_to_another_process_is_left_alone(tmp_path: Path) -> None:
    other = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    started = psutil.Process(other.pid).create_time() - 3600
    recorded = [{"name": "worker", "pid": other.pid, "started": started}]
    (tmp_path / "children.json").write_text(json.dumps(recorded))

    async with Children(tmp_path):
        assert is_running(other.pid)

    other.kill()
    await other.wait()


async def test_a_second_supervisor_of_one_directory_is_refused(tmp_path: Path) -> None:
    async with parent_of_a_sleeper(tmp_path) as (parent, child):
        with pytest.raises(DirectoryBusyError, match=rf"pid {parent}\) works in"):
            async with Children(tmp_path):
                pass
        assert is_running(child)
    async with Children(tmp_path):
        assert not is_running(child)


async def test_a_child_that_dies_at_once_is_named_with_its_last_words(tmp_path: Path) -> None:
    async with Children(tmp_path) as children:
        await children.start(Child("worker", ["sh", "-c", "echo no such database >&2; exit 3"]))
        never = asyncio.get_running_loop().create_future()

        with pytest.raises(
            StartFailedError, match=r"worker ended with code 3; .*\nno such database"
        ):
            await children.wait_for("worker", never)
