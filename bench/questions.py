"""What is asked of whole audiences: each as a condition, compiled, and as SQL written by hand."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import asyncpg

from expressions.sql import compile
from storage import evaluation
from storage.evaluation import Query

LIVING = "c.merged_into IS NULL AND c.erased_at IS NULL"
TIMES = 5  # each is asked, by turns


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
    """Seconds of each question both ways, the best ones, and their ratio; answers agree."""
    figures: dict[str, float] = {}
    for one in QUESTIONS:
        statement = compile(one.condition)
        ways = {
            "by_hand": Query(one.by_hand, [now]),
            "compiled": Query(statement.text, statement.arguments(now)),
        }
        best, counts = dict.fromkeys(ways, float("inf")), {}
        for _ in range(TIMES):
            for name, query in ways.items():
                begun = time.perf_counter()
                counts[name] = await counted(connection, query)
                best[name] = min(best[name], time.perf_counter() - begun)
        if counts["by_hand"] != counts["compiled"]:
            raise AssertionError(f"{one.name}: {counts}")
        figures[f"{one.name}_s"] = best["compiled"]
        figures[f"{one.name}_by_hand_s"] = best["by_hand"]
        figures[f"{one.name}_ratio"] = best["compiled"] / best["by_hand"]
        note(f"{one.name}: {counts['compiled']:,} members in {best['compiled']:.2f} s, "
             f"{best['by_hand']:.2f} s by hand")  # fmt: skip
    return figures


async def counted(connection: asyncpg.Connection, query: Query) -> int:
    """How many a query finds, with the room that whole audiences have."""
    async with connection.transaction():
        await evaluation.make_room(connection)
        return await evaluation.count(connection, query)


async def estimated(connection: asyncpg.Connection, now: datetime) -> float:
    """Seconds of an estimate of the first question: its size, and how many customers there are."""
    statement = compile(QUESTIONS[0].condition)
    query = Query(statement.text, statement.arguments(now))
    best = float("inf")
    for _ in range(TIMES):
        begun = time.perf_counter()
        await counted(connection, query)
        await evaluation.customers(connection)
        best = min(best, time.perf_counter() - begun)
    return best
