"""What a measurement prints and keeps: its figures, and the machine they are of."""

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table


def show(figures: Mapping[str, float], out: Path) -> None:
    """Print them as a table, and keep them in `out` with the machine."""
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}")
    Console().print(table)
    machine = {
        "cores": psutil.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "at": datetime.now(UTC).isoformat(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, **figures}, indent=2), encoding="utf-8")
