"""How long whole audiences take, and how many events a second customers are judged by.

    python -m bench.audiences [--customers 1000000] [--events 10000000] [--out FILE]

On a generated base. Each question is put twice: as a condition, compiled, and as SQL written by
hand for it; the floor is the latter. Then events are stored as fast as the router and the judge
take them, with 50 audiences published.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from bench.machine import SETTINGS
from bench.population import make
from bench.streaming import AUDIENCES, RATE, SECONDS, published, streamed
from embedded.postgres import Postgres
from expressions.sql import compile
from storage import evaluation, installation, migrate
from storage.evaluation import Query
from storage.pool import pool, prepare

RESULTS = Path(__file__).parent / "results" / "audiences.json"
LIVING = "c.merged_into IS NULL AND c.erased_at IS NULL"


class Question(NamedTuple):
    """A condition, and what one would write by hand for it ($1 is now)."""

    name: str
    condition: str
    by_hand: str


QUESTIONS = (
    Question(
        "three_clauses",
        'customer.plan == "pro" && customer.country in ["FR", "DE"] && '
        'events("Order Completed", days(90)).size() >= 2',
        f"""
        SELECT c.id FROM customers c JOIN (
            SELECT customer FROM events WHERE name = 'Order Completed' AND customer IS NOT NULL
            AND occurred_at > $1::timestamptz - interval '90 days' AND occurred_at <= $1
            GROUP BY customer HAVING count(*) >= 2) o ON o.customer = c.id
        WHERE c.attributes ->> 'plan' = 'pro' AND c.attributes ->> 'country' IN ('FR', 'DE')
        AND {LIVING}
        """,
    ),
    Question(
        "often_and_much",
        'events("Order Completed", days(90)).size() >= 3 && '
        'sum(events("Order Completed").map(e, e.total)) > 500.0',
        f"""
        SELECT c.id FROM customers c JOIN (
            SELECT customer FROM events WHERE name = 'Order Completed' AND customer IS NOT NULL
            AND occurred_at <= $1 GROUP BY customer
            HAVING count(*) FILTER (WHERE occurred_at > $1::timestamptz - interval '90 days') >= 3
            AND sum((properties ->> 'total')::float8) > 500) o ON o.customer = c.id
        WHERE {LIVING}
        """,
    ),
    Question(
        "gone_quiet",
        'events("Order Completed").size() >= 1 && events("Order Completed", days(30)).size() == 0',
        f"""
        SELECT c.id FROM customers c JOIN (
            SELECT customer FROM events WHERE name = 'Order Completed' AND customer IS NOT NULL
            AND occurred_at <= $1 GROUP BY customer
            HAVING max(occurred_at) <= $1::timestamptz - interval '30 days') o
            ON o.customer = c.id
        WHERE {LIVING}
        """,
    ),
    Question(
        "cancels_much",
        'double(events("Order Cancelled").size()) > 0.2 * double(events("Order Completed").size())',
        f"""
        SELECT c.id FROM customers c LEFT JOIN (
            SELECT customer, count(*) FILTER (WHERE name = 'Order Cancelled') AS no,
                   count(*) FILTER (WHERE name = 'Order Completed') AS yes
            FROM events WHERE name IN ('Order Cancelled', 'Order Completed') AND occurred_at <= $1
            AND customer IS NOT NULL GROUP BY customer) o ON o.customer = c.id
        WHERE coalesce(o.no, 0) > 0.2 * coalesce(o.yes, 0) AND {LIVING}
        """,
    ),
)


async def measured(
    connection: asyncpg.Connection, now: datetime, note: Callable[[str], None]
) -> dict[str, float]:
    """Seconds of each question both ways, the best of three, and their ratio; answers agree."""
    figures: dict[str, float] = {}
    for one in QUESTIONS:
        statement = compile(one.condition)
        compiled = Query(statement.text, statement.arguments(now))
        by_hand = Query(one.by_hand, [now])
        counts, best = {}, {}
        for name, query in (("by_hand", by_hand), ("compiled", compiled)):
            times = []
            for _ in range(3):
                begun = time.perf_counter()
                counts[name] = await evaluation.count(connection, query)
                times.append(time.perf_counter() - begun)
            best[name] = min(times)
        if counts["by_hand"] != counts["compiled"]:
            raise AssertionError(f"{one.name}: {counts}")
        figures[f"{one.name}_s"] = best["compiled"]
        figures[f"{one.name}_ratio"] = best["compiled"] / best["by_hand"]
        note(f"{one.name}: {counts['compiled']:,} members in {best['compiled']:.2f} s, "
             f"{best['by_hand']:.2f} s by hand")  # fmt: skip
    return figures


async def filled(connection: asyncpg.Connection, now: datetime) -> float:
    """Seconds to find and write down the members of a large audience."""
    statement = compile('events("Order Completed").size() >= 1')
    begun = time.perf_counter()
    query = Query(statement.text, statement.arguments(now))
    await evaluation.find(connection, "ordered", query, [], now, {"found": "bench"})
    return time.perf_counter() - begun


async def run(customers: int, events: int, note: Callable[[str], None]) -> dict[str, float]:
    """Every figure, on a base of its own."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="parcours-audiences-") as folder:
        server = Postgres(Path(folder, "postgres"), settings=SETTINGS)
        await asyncio.to_thread(server.start)
        try:
            connection = await asyncpg.connect(server.url)
            await prepare(connection)
            await migrate.apply(connection)
            await migrate.extend_partitions(connection, now)
            await installation.ensure(connection, now)
            begun = time.perf_counter()
            await make(connection, customers, events, now - timedelta(hours=1), note)
            figures = {"made_s": time.perf_counter() - begun}
            figures |= await measured(connection, now, note)
            figures["filled_s"] = await filled(connection, now)
            figures["filled"] = float(await connection.fetchval(
                "SELECT count(*) FROM audience_members WHERE audience = 'ordered'"))  # fmt: skip
            await connection.close()
            async with pool(server.url, 20) as opened:
                figures["found_all_s"] = await published(opened, server.url)
                note(f"members of {AUDIENCES} audiences found in {figures['found_all_s']:.1f} s")
                figures |= await streamed(
                    opened, server.url, customers, Path(folder), RATE, SECONDS
                )
        finally:
            await asyncio.to_thread(server.stop)
    return figures


def main() -> None:
    """Measure, print a table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    figures = uvloop.run(run(options.customers, options.events, print))
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}")
    Console().print(table)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
