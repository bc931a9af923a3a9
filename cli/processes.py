"""`parcours api` and `parcours worker`: one process of ours in the foreground."""

import os
import sys


def api() -> None:
    replace_by("api")


def worker() -> None:
    replace_by("worker")


def replace_by(module: str) -> None:
    """Become that module's process, so that signals and exit codes are its own."""
    os.execv(sys.executable, [sys.executable, "-P", "-m", module])  # noqa: S606 our own module
