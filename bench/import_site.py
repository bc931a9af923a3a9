"""A Postgres, an API and importers of its lists, each a process that can be killed."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from audiences.definition import AUDIENCE
from bench.servers import Process
from embedded.temporal import port_near
from storage import audiences, installation, keys, migrate
from storage.connection import connect

KEY = "admin_for_the_bench"
BAD = 1000  # every so manieth row says nobody


@dataclass
class Site:
    """What imports need; nothing of it asks Temporal."""

    url: str
    port: int
    folder: Path
    api: Process

    def importer(self, audience: str, file: Path, *options: str) -> Process:
        """`parcours audience import`, not yet started."""
        command = [
            sys.executable, "-m", "cli.main", "audience", "import", audience, str(file),
            "--url", f"http://127.0.0.1:{self.port}", "--key", KEY, *options,
        ]  # fmt: skip
        return Process(command, {}, self.folder / f"{audience}-{file.stem}.log")


@asynccontextmanager
async def site(url: str, folder: Path, *lists: str) -> AsyncIterator[Site]:
    """A served database with empty lists."""
    connection = await connect(url)
    now = datetime.now(UTC)
    await migrate.apply(connection)
    await migrate.extend_partitions(connection, now)
    await installation.ensure(connection, now)
    await keys.add(connection, "admin", "bench", KEY, now)
    for name in lists:
        definition = AUDIENCE.validate_python({"audience": name, "kind": "list"})
        await audiences.publish(connection, definition, "bench", now)
    await connection.close()
    port = port_near(0)
    environment = {
        "PARCOURS_DATABASE_URL": url,
        "PARCOURS_TEMPORAL_ADDRESS": f"127.0.0.1:{port_near(0)}",
        "PARCOURS_HTTP_PORT": str(port),
    }
    api = Process(["api"], environment, folder / "api.log")
    await api.start()
    try:
        await serving(port)
        yield Site(url, port, folder, api)
    finally:
        await api.stop()


async def serving(port: int) -> None:
    """Return once the API answers; Temporal is not there, and not missed."""
    async with asyncio.timeout(60), httpx.AsyncClient() as http:
        while True:
            with suppress(httpx.HTTPError):
                await http.get(f"http://127.0.0.1:{port}/health/live")
                return
            await asyncio.sleep(0.1)


def write_file(path: Path, first: int, rows: int) -> int:
    """Rows about the users from `first` on; how many of them nobody can take."""
    bad = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("user_id,email,first_name,city,tier,spent,vip,since\n")
        for number in range(first, first + rows):
            is_bad = (number - first) % BAD == BAD - 1
            bad += is_bad
            user = "" if is_bad else f"user-{number}"
            file.write(
                f'{user},user-{number}@customers.example,"Ada, {number % 97}",Köln,'
                f"{('gold', 'silver', 'none')[number % 3]},{number % 5000 / 4},"
                f"{('true', 'false')[number % 2]},2026-01-{number % 28 + 1:02}\n"
            )
    return bad
