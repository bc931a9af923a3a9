"""Evaluating leaves nothing behind, whatever functions it calls."""

import sys
from datetime import UTC, datetime, timedelta

import pytest

from expressions import Facts, PastEvent, condition

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HISTORY = {
    "Order Completed": [
        PastEvent("Order Completed", NOW - timedelta(days=day), {"total": 5.5 * day, "n": [1, 2]})
        for day in range(60, 0, -1)
    ]
}
SOURCES = (
    'events("Order Completed", days(30)).size() >= 3',
    'sum(events("Order Completed").map(e, e.total)) > 100.5',
    'events("Order Completed").exists(e, e.n.size() > 5 || e.occurred_at > now - hours(1.5))',
    'lower(customer.plan + "X") == "prox"',
    "sum(customer.broken) > 1.0",
)


@pytest.mark.parametrize("source", SOURCES)
def test_a_thousand_evaluations_leave_nothing_behind(source: str) -> None:
    facts = Facts(now=NOW, customer={"plan": "PRO", "broken": ["a"]}, history=HISTORY)
    judged = condition(source)

    def evaluate(times: int) -> int:
        for _ in range(times):
            judged.judge(facts)
        return sys.getallocatedblocks()

    before = evaluate(200)
    after = evaluate(1000)

    assert after - before < 500
