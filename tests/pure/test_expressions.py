"""Conditions and values over the facts of one customer."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from expressions import Facts, PastEvent, UnknownValue, condition, value

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ordered(days_ago: float, **properties: Any) -> PastEvent:
    return PastEvent("Order", NOW - timedelta(days=days_ago), properties)


def facts(
    customer: Mapping[str, Any] | None = None,
    event: Mapping[str, Any] | None = None,
    entry: Mapping[str, Any] | None = None,
    steps: Mapping[str, Mapping[str, Any]] | None = None,
    orders: tuple[PastEvent, ...] = (),
) -> Facts:
    return Facts(NOW, customer or {}, event, entry, steps or {}, {"Order": orders})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.total > 20.0", True),
        ("event.total > 20", True),
        ("event.total == 21", True),
        ("event.cart_id == entry.cart_id", True),
        ('customer["first name"] == "Ann"', True),
        ("customer.age > 18 && customer.plan in ['pro', 'team']", True),
        ("customer.tags[1].name == 'b'", True),
        ("customer.big > 1.0", True),
        ("steps.call.status == 200", True),
        ("steps.later.status == 200", None),
        ("lower(customer.plan) == 'pro'", True),
        ("has(customer.nope)", False),
        ("customer.nope == null", None),
        ("customer.nothing == null", True),
        ("customer.nothing > 3", None),
        ("customer.plan > 3", None),
        ("customer.age", None),
        ("customer.is_member", True),
        ("now - days(1) < now && hours(24) == days(1) && days(0.5) == hours(12.0)", True),
        ("timestamp(customer.born) < now - days(365)", True),
    ],
)
def test_condition_over_plain_facts(source: str, expected: bool | None) -> None:
    known = facts(
        customer={
            "first name": "Ann",
            "age": 30,
            "plan": "pro",
            "nothing": None,
            "is_member": True,
            "tags": [{"name": "a"}, {"name": "b"}],
            "big": 2**80,
            "born": "2000-01-01T00:00:00Z",
        },
        event={"total": 21, "cart_id": 7},
        entry={"cart_id": 7.0},
        steps={"call": {"status": 200}},
    )

    assert condition(source).judge(known).holds is expected
    assert condition(source).holds(known) is (expected is True)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('events("Order").size() == 4', True),
        ('events("Order", days(30)).size() == 2', True),
        ('events("Order", duration("2160h")).size() == 3', True),
        ('size(events("Nothing")) == 0', True),
        ('sum(events("Order", days(90)).map(e, e.total)) == 160.5', True),
        ('sum(events("Order").map(e, e.nope)) > 0.0', None),
        ('sum(events("Order").map(e, e.sku)) > 0.0', None),
        ('events("Order").exists(e, e.total > 100.0 && e.occurred_at < now - days(40))', True),
        ('events("Order").filter(e, e.total > 100.0).size() == 2', True),
        ('events("Order")[0].sku == "d"', True),
        ('events("Order").exists(customer, customer.sku == "a")', True),
    ],
)
def test_condition_over_the_history(source: str, expected: bool | None) -> None:
    orders = (
        ordered(90, total=1000, sku="d"),
        ordered(60, total=120.5, sku="c"),
        ordered(29, total=30, sku="b"),
        ordered(0, total=10, sku="a"),
        ordered(-1, total=5),
    )

    assert condition(source).judge(facts(orders=orders)).holds is expected


def test_window_includes_now_and_excludes_its_older_edge() -> None:
    orders = (ordered(30), ordered(29.999), ordered(0))

    verdict = condition('events("Order", days(30)).size() == 2').judge(facts(orders=orders))

    assert verdict.holds is True


def test_verdict_shows_each_operand_with_its_value() -> None:
    source = 'event.total > 20.0 && sum(events("Order", days(30)).map(e, e.total)) > 5.0'
    known = facts(event={"total": 25}, orders=(ordered(3, total=4), ordered(2, total=3.5)))

    verdict = condition(source).judge(known)

    assert verdict.operands == {
        "event.total": 25,
        'events("Order", days(30))': {"count": 2},
        'sum(events("Order", days(30)).map(e, e.total))': 7.5,
    }
    assert verdict.reason is None


def test_operands_are_short() -> None:
    known = facts(customer={"bio": "x" * 1000, "tags": ["a", "b"], "address": {"city": "Ulm"}})
    source = 'customer.bio != "" && customer.tags.size() > 1 && "city" in customer.address'

    operands = condition(source).judge(known).operands

    assert operands == {
        "customer.bio": "x" * 199 + "…",
        "customer.tags": {"count": 2},
        "customer.address": {"count": 1},
    }


def test_loop_variables_and_text_are_no_operands() -> None:
    known = facts(customer={"tags": [{"x": 1}], "limit": 0})
    source = "customer.tags.exists(t, t.x > customer.limit) && 'customer.x)' != \"\""

    assert condition(source).judge(known).operands == {
        "customer.tags": {"count": 1},
        "customer.limit": 0,
    }


def test_presence_is_shown_as_what_was_asked() -> None:
    verdict = condition('has(customer.plan) && customer.plan == "x"').judge(facts())

    assert (verdict.holds, verdict.reason) == (False, None)
    assert verdict.operands == {"has(customer.plan)": False, "customer.plan": None}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("customer.plan == 'pro'", "customer.plan is missing"),
        ("event.total > 3", "event.total is missing"),
        ("customer.a > 1 && customer.b > 1", "customer.a, customer.b are missing"),
        ("customer.name > 3", "`>` does not take (string, number)"),
        ("customer.age", "the result is a number, neither true nor false"),
        ('events("Order").exists(e, e.total > 3)', "`total` is missing"),
    ],
)
def test_unknown_verdict_says_why(source: str, reason: str) -> None:
    known = facts(customer={"name": "Ann", "age": 3}, orders=(ordered(1),))

    verdict = condition(source).judge(known)

    assert verdict.holds is None
    assert verdict.reason == reason


def test_facts_that_cel_cannot_read_make_it_unknown() -> None:
    assert condition("event.x == 'a'").judge(facts(event={"x": "\ud800"})).holds is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.cart_id", 9007199254740993),
        ("event.cart_id * 2.0", 18014398509481986),
        ('event.sku + "-" + event.sku', "a-a"),
        ("event.half", 20.5),
        ("event.total * 2.0", 40),
        ("now - days(1)", "2026-11-23T12:00:00+00:00"),
        ("days(1)", 86400),
        ("[1.5, null]", [1.5, None]),
        ("event", {"cart_id": 9007199254740993, "sku": "a", "half": 20.5, "total": 20}),
    ],
)
def test_value_is_json(source: str, expected: object) -> None:
    known = facts(event={"cart_id": 9007199254740993, "sku": "a", "half": 20.5, "total": 20})

    found = value(source).of(known)

    assert found == pytest.approx(expected, rel=1e-15) if "*" in source else found == expected


@pytest.mark.parametrize("source", ["event.cart_id", 'event.cart_id + "x"'])
def test_value_of_what_is_missing_is_unknown(source: str) -> None:
    with pytest.raises(UnknownValue, match=r"event\.cart_id is missing"):
        value(source).of(facts(event={}))


def test_needs_name_what_must_be_fetched() -> None:
    needs = condition(
        'customer.plan == "pro" && steps.call.status == 200 && events("Order").size() > 1 '
        '&& events("Order Completed", days(3)).exists(e, e.total > entry.total)'
    ).needs

    assert needs.roots == {"customer", "steps", "entry"}
    assert needs.customer == {"plan"}
    assert needs.steps == {"call"}
    assert needs.events == {"Order", "Order Completed"}


def test_whole_customer_is_needed_when_it_is_named_bare() -> None:
    assert condition('"plan" in customer').needs.customer == {"*"}


def test_same_text_is_compiled_once() -> None:
    assert condition("event.total > 1.0") is condition(
        "event.total > 1.0", roots={"now", "customer", "event", "entry", "steps"}
    )


def test_threads_do_not_see_each_others_history() -> None:
    rule = condition('sum(events("Order").map(e, e.total)) == event.total')
    known = [facts(event={"total": n}, orders=(ordered(1, total=n),)) for n in range(200)]

    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(rule.holds, known * 5))

    assert all(verdicts)
