"""The generated base that audiences are measured on, and how Postgres is set up for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from bench.population import make
from embedded.postgres import Postgres
from storage import installation, migrate

# As one sets up a server for a database of six gigabytes; what makes it durable stays as it is.
SETTINGS = {
    "shared_buffers": "4GB",
    "effective_cache_size": "12GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "16GB",
    "track_commit_timestamp": "on",
    "wal_compression": "off",
}
BEHIND = timedelta(hours=1)  # before a base was made, the last of its events

Note = Callable[[str], None]


@asynccontextmanager
async def base(folder: Path, size: tuple[int, int], note: Note) -> AsyncIterator[Postgres]:
    """A server on that folder, with the schema of now, and with everybody if it was empty."""
    server = Postgres(folder, settings=SETTINGS)
    await asyncio.to_thread(server.start)
    try:
        connection = await asyncpg.connect(server.url)
        now = datetime.now(UTC)
        await migrate.apply(connection)
        await migrate.extend_partitions(connection, now)
        await installation.ensure(connection, now)
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM customers)"):
            begun = time.perf_counter()
            await make(server.url, *size, now - BEHIND, note)
            note(f"made in {time.perf_counter() - begun:.0f} s")
        await connection.close()
        yield server
    finally:
        await asyncio.to_thread(server.stop)
