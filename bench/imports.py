"""How fast files are imported into lists, beside a plain COPY of the same rows.

    python -m bench.imports [--rows 1000000] [--kill-rows N] [--victim api|cli] [--out FILE]

A Postgres of its own with fsync on, one API process, `parcours audience import` as it is. First all
customers are made, then the same file is imported once more into another list, all matched. Then
two imports run at once and a process is killed half-way.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import uvloop

from bench.import_kills import killed
from bench.import_site import Site, site, write_file
from bench.servers import measured
from cli.audience.table_file import ROWS
from embedded.postgres import Postgres

COLUMNS = ("user_id", "email", "first_name", "city", "tier", "spent", "vip", "since")


async def floor(url: str, file: Path, rows: int) -> dict[str, float]:
    """Rows a second by COPY into a table without an index."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE TABLE bare ({', '.join(f'{c} text' for c in COLUMNS)})")
    begun = time.perf_counter()
    await connection.copy_to_table("bare", source=file, format="csv", header=True)
    spent = time.perf_counter() - begun
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return {"floor_per_s": rows / spent}


async def imported(
    one: Site, server: psutil.Process, name: str, file: Path, rows: int
) -> dict[str, float]:
    """Rows a second through the command and the API, and the CPU of each process a row."""
    process = one.importer(name, file)
    used: dict[str, float] = {}
    begun = time.perf_counter()
    with measured({"api": (one.api.watched, False), "postgres": (server, True)}, used):
        await process.start()
        if await process.ended():
            raise AssertionError(f"the import failed: see {one.folder}")
        spent = time.perf_counter() - begun
    return {
        f"{name}_per_s": rows / spent,
        f"{name}_s": spent,
        **{f"{name}_{who}_us_per_row": cpu / rows * 1e6 for who, cpu in used.items()},
    }


async def statements(one: Site, server: Postgres) -> dict[str, float]:
    """Statements a chunk, counted in Postgres's own log: of eight chunks without those of one."""
    counts = []
    for chunks in (1, 9):
        file = one.folder / f"counted-{chunks}.csv"
        write_file(file, 0, ROWS * chunks)
        start = await logged(one.url, "all", server)
        process = one.importer("counted", file)
        await process.start()
        await process.ended()
        end = await logged(one.url, "none", server)
        with (server.path / "server.log").open("rb") as log:
            log.seek(start)
            lines = log.read(end - start).splitlines()
        counts.append(sum(b"LOG:  execute" in a or b"LOG:  statement" in a for a in lines))
    return {"statements_per_chunk": (counts[1] - counts[0]) / 8}


async def logged(url: str, what: str, server: Postgres) -> int:
    """Have Postgres log statements, or not; the length of its log."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"ALTER SYSTEM SET log_statement = '{what}'")
    await connection.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.3)
    await connection.close()
    return (server.path / "server.log").stat().st_size


async def speed(folder: Path, rows: int) -> dict[str, float]:
    """The figures of one import alone."""
    server = Postgres(folder / "postgres", durable=True)
    server.start()
    try:
        figures = await imports_of(server, folder, rows)
        async with site(server.url, folder, "counted") as one:
            return figures | await statements(one, server)
    finally:
        server.stop()


async def imports_of(server: Postgres, folder: Path, rows: int) -> dict[str, float]:
    """The figures of a file into two lists on a server that runs: all made, then all matched."""
    postmaster = server.postmaster()
    assert postmaster is not None
    async with site(server.url, folder, "made", "matched") as one:
        file = folder / "all.csv"
        write_file(file, 0, rows)
        figures = await floor(one.url, file, rows)
        for name in ("made", "matched"):
            figures |= await imported(one, postmaster, name, file, rows)
            figures[f"{name}_to_floor"] = figures["floor_per_s"] / figures[f"{name}_per_s"]
    return {f"import_{name}": value for name, value in figures.items()}


async def kills(folder: Path, rows: int, victim: Any) -> Mapping[str, float]:
    """What adds up after a kill."""
    server = Postgres(folder / "postgres", durable=True)
    server.start()
    try:
        async with site(server.url, folder, "both") as one:
            begun = time.perf_counter()
            counted = await killed(one, "both", rows, victim)
            spent = time.perf_counter() - begun
    finally:
        server.stop()
    if not counted.holds:
        raise AssertionError(f"it does not add up: {counted}")
    return {"two_at_once_per_s": counted.rows / spent, **asdict(counted)}


def run(part: Any, *arguments: Any) -> Mapping[str, float]:
    """One part in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder:
        figures: Mapping[str, float] = uvloop.run(part(Path(folder), *arguments))
    for name, value in figures.items():
        print(f"{name:32} {value:14,.1f}", flush=True)
    return figures


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kill-rows", type=int, help="of each file, as --rows; 0 kills nothing")
    parser.add_argument("--victim", choices=("api", "cli"), default="api")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    figures = dict(run(speed, given.rows))
    kill_rows = given.rows if given.kill_rows is None else given.kill_rows
    if kill_rows:
        figures |= run(kills, kill_rows, given.victim)
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
