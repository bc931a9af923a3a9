"""Two imports at once into one list, one killed with -9 half-way: does every row count once?

Half of each file's customers are in the other file as well.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import asyncpg

from bench.import_site import Site, write_file
from bench.servers import Process

Victim = Literal["api", "cli"]
STUCK = 1800.0  # seconds


@dataclass(frozen=True)
class Counted:
    """What the imports say, beside what is in the tables."""

    expected_rows: int
    rows: int
    expected_failed: int
    failed: int
    expected_customers: int
    created: int
    customers: int
    ids: int
    joined: int
    members: int
    changes: int
    open: int

    @property
    def holds(self) -> bool:
        """Whether it adds up."""
        numbers = {self.created, self.customers, self.ids, self.joined, self.members, self.changes}
        return (
            numbers == {self.expected_customers}
            and (self.rows, self.failed) == (self.expected_rows, self.expected_failed)
            and self.open == 0
        )


async def killed(site: Site, audience: str, rows: int, victim: Victim) -> Counted:
    """Import two files of `rows` rows, kill half-way, start again, and count."""
    files = [Path(site.folder, f"{name}.csv") for name in ("left", "right")]
    bad = sum(write_file(file, number * rows // 2, rows) for number, file in enumerate(files))
    named = {number for number in range(rows) if number % 1000 != 999}
    everybody = named | {number + rows // 2 for number in named}
    imports = [site.importer(audience, file) for file in files]
    connection = await asyncpg.connect(site.url)
    try:
        async with asyncio.timeout(STUCK):
            for one in imports:
                await one.start()
            await half_way(connection, imports, rows)
            again = site.api if victim == "api" else imports[0]
            await again.kill()
            await again.start()
            for one in imports:
                if await one.ended():
                    raise AssertionError(f"an import failed: see {site.folder}")
        return await counted(connection, 2 * rows, bad, len(everybody))
    finally:
        for one in imports:
            await one.stop()
        await connection.close()


async def half_way(connection: asyncpg.Connection, imports: list[Process], rows: int) -> None:
    """Return once half of all rows were taken."""
    query = "SELECT coalesce(sum(created + matched + failed), 0) FROM import_chunks"
    while await connection.fetchval(query) < rows:
        if not all(one.runs for one in imports):
            raise AssertionError("an import ended before it was half-way")
        await asyncio.sleep(0.005)


async def counted(
    connection: asyncpg.Connection, rows: int, failed: int, customers: int
) -> Counted:
    """The counts of the imports and of the tables."""
    row = await connection.fetchrow(
        """
        SELECT sum(created + matched + failed) AS rows, sum(failed) AS failed,
               sum(created) AS created, sum(joined) AS joined,
               (SELECT count(*) FROM customers) AS customers,
               (SELECT count(*) FROM external_ids) AS ids,
               (SELECT count(*) FROM audience_members) AS members,
               (SELECT count(*) FROM audience_changes) AS changes,
               (SELECT count(*) FROM imports WHERE completed_at IS NULL) AS open
        FROM import_chunks
        """
    )
    assert row is not None
    return Counted(
        expected_rows=rows,
        expected_failed=failed,
        expected_customers=customers,
        **{name: int(count) for name, count in row.items()},
    )
