"""What a measurement prints and keeps: its figures, and the machine they are of."""

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from embedded.postgres import SETTINGS as USUAL


def show(
    figures: Mapping[str, float], out: Path, postgres: Mapping[str, str] | None = None
) -> None:
    """Print them as a table, and keep them in `out` with the machine.

    `postgres` is what its server was set to beside what is usual here.
    """
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}")
    Console().print(table)
    machine = {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgres": {**USUAL, **(postgres or {})},
        "at": datetime.now(UTC).isoformat(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, **figures}, indent=2), encoding="utf-8")
