"""How long whole audiences take, and how many events a second customers are judged by.

    python -m bench.audiences [--base DIR] [--customers N] [--events N] [--out FILE]

On a generated base: made for this, or the one in DIR, which is made there once, and copied. Each
question is put twice: as a condition, compiled, and as SQL written by hand for it; the floor is the
latter. Then a large audience is filled, events are stored as fast as the router and the judge take
them, a file is imported, and, on servers of its own, an audience enters a journey.
"""

import argparse
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

import asyncpg
import uvloop

from bench import runs
from bench.base import BEHIND, SETTINGS, Note, base
from bench.figures import show
from bench.imports import imports_of
from bench.questions import estimated, measured
from bench.streaming import AUDIENCES, RATE, SECONDS, published, streamed
from expressions.sql import compile
from storage import evaluation
from storage.connection import prepare
from storage.evaluation import Query
from storage.pool import pool

RESULTS = Path(__file__).parent / "results" / "audiences.json"
ENTERING = 1_000  # members of the audience that enters a journey


async def filled(connection: asyncpg.Connection, now: datetime, note: Note) -> dict[str, float]:
    """Seconds to find and write down the members of a large audience."""
    statement = compile('events("Order Completed").size() >= 1')
    query = Query(statement.text, statement.arguments(now))
    await connection.execute("CHECKPOINT")
    begun = time.perf_counter()
    async with connection.transaction():
        await evaluation.make_room(connection)
        count = await evaluation.find(connection, "ordered", query, [], now, {"found": "bench"})
    spent = time.perf_counter() - begun
    note(f"{count:,} members found and written down in {spent:.2f} s")
    return {"filled": float(count), "filled_s": spent}


async def run(place: Path, size: tuple[int, int], rows: int, note: Note) -> dict[str, float]:
    """Every figure of one base, which is left changed."""
    async with base(place / "postgres", size, note) as server:
        connection = await asyncpg.connect(server.url)
        await prepare(connection)
        made = await connection.fetchval("SELECT created_at FROM customers LIMIT 1")
        now = made + BEHIND
        customers = await evaluation.customers(connection)
        figures = {
            "customers": float(customers),
            "events": float(await connection.fetchval("SELECT count(*) FROM events")),
            "estimated_s": await estimated(connection, now),
        }
        note(f"three clauses estimated in {figures['estimated_s']:.2f} s")
        figures |= await measured(connection, now, note)
        figures |= await filled(connection, now, note)
        await connection.close()
        note("a file is imported, twice")
        imported = await imports_of(server, place, rows)
        note(f"{rows:,} rows made in {imported['import_made_s']:.0f} s, "
             f"matched in {imported['import_matched_s']:.0f} s")  # fmt: skip
        figures |= imported
        note("events are judged")
        async with pool(server.url, 20) as opened:
            figures["found_all_s"] = await published(opened, server.url)
            note(f"members of {AUDIENCES} audiences found in {figures['found_all_s']:.1f} s")
            figures |= await streamed(opened, server.url, customers, place, RATE, SECONDS)
    return figures


def main() -> None:
    """Measure, print a table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="made there if it is not, else copied")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the file imported")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    size = (options.customers, options.events)
    begun = time.perf_counter()

    def note(text: str) -> None:
        print(f"{time.perf_counter() - begun:7.1f} s  {text}", flush=True)

    async def ready() -> None:
        async with base(options.base, size, note):
            note(f"the base in {options.base} is up to date")

    with tempfile.TemporaryDirectory(prefix="parcours-audiences-") as folder:
        if options.base:
            uvloop.run(ready())
            copy = ["cp", "-a", "--reflink=auto", options.base, Path(folder, "postgres")]
            subprocess.run(copy, check=True)
        figures = uvloop.run(run(Path(folder), size, options.rows, note))
    note("an audience enters a journey, beside the engine's floor")
    entered = uvloop.run(runs.run(ENTERING))
    figures |= {f"runs_{name}": value for name, value in entered.items()}
    show(figures, options.out, postgres=SETTINGS)


if __name__ == "__main__":
    main()
