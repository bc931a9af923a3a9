"""What goes to and fro between CEL and our functions leaves nothing behind, and takes nothing."""

import sys
from datetime import UTC, datetime

import pytest

from expressions import Facts, PastEvent, condition

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TIMES = 5_000


@pytest.mark.parametrize(
    "source",
    [
        'sum(events("A").map(e, e.nothing)) > 1.0',
        "sum([customer.with_nothing, customer.nothing]) > 1.0",
        'first(events("A")).nothing == null && last(events("A").map(e, e.nothing)) == null',
        'max([customer.n, customer.nothing]) > 1.0 || in_audience("v") || subscribed("email")',
    ],
)
def test_nothing_is_still_there_after_many_evaluations(source: str) -> None:
    rule = condition(source, roots={"customer", "now"})
    events = [PastEvent("A", NOW, {"nothing": None, "list": [None, {"a": None}]})] * 3
    customer = {"nothing": None, "with_nothing": {"a": [None]}, "n": 1}
    facts = Facts(NOW, customer, history={"A": events}, audiences=(), unsubscriptions=())
    rule.holds(facts)
    before = [sys.getrefcount(one) for one in (None, True, False)]

    for _ in range(TIMES):
        rule.holds(facts)

    after = [sys.getrefcount(one) for one in (None, True, False)]
    assert [abs(b - a) < TIMES // 10 for a, b in zip(before, after, strict=True)] == [True] * 3
