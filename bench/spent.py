"""What processes of ours use of the CPU, and what Postgres does for each of them."""

import contextlib

import psutil

from bench.ingest import cpu_of
from bench.servers import Process
from storage.pool import Pool


class Spent:
    """CPU seconds of our processes and of the connections they have, each by its name."""

    def __init__(self, pool: Pool, processes: dict[str, Process]) -> None:
        self._pool = pool
        self._processes = processes
        self._seen: dict[tuple[str, int], tuple[float, float]] = {}

    async def look(self) -> None:
        """Read how far each has got; the first look at one counts from there."""
        pids = [(name, one.watched.pid) for name, one in self._processes.items() if one.runs]
        rows = await self._pool.fetch(
            "SELECT application_name, pid FROM pg_stat_activity WHERE application_name = ANY ($1)",
            list(self._processes),
        )
        pids += [(f"postgres for {name}", pid) for name, pid in rows]
        for name, pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                now = cpu_of(psutil.Process(pid))
                first, _ = self._seen.get((name, pid), (now, now))
                self._seen[name, pid] = first, now

    def totals(self) -> dict[str, float]:
        """CPU seconds since the first look."""
        found: dict[str, float] = {}
        for (name, _), (first, last) in self._seen.items():
            found[name] = found.get(name, 0.0) + last - first
        return found
