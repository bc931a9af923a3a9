"""Between now and the next change no verdict changes: too late would be a bug."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from expressions import (
    ExpressionError,
    Facts,
    PastEvent,
    condition,
    is_derivable,
    next_change,
)
from expressions.horizon import reach
from tests import people
from tests.grammar import conditions as written

NOW = people.NOW
ROOTS = {"customer", "now"}
FURTHEST = datetime(2250, 1, 1, tzinfo=UTC)  # later, lengths of time become too long for CEL
COMMON = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def bought(**ago: float) -> Facts:
    history = [PastEvent("A", NOW - timedelta(days=days), {}) for days in ago.values()]
    return Facts(NOW, customer={"until": "2026-12-01T00:00:00Z"}, history={"A": history})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('events("A", days(30)).size() >= 2', timedelta(days=30)),
        (
            'events("A", days(3)).size() > 0 && !events("B", days(9)).all(e, e.n > 1.0)',
            timedelta(9),
        ),
        ('events("A", days(3)).exists(e, events("B", days(4)).size() > 1)', timedelta(days=4)),
        ("customer.n > 1.0", timedelta()),
        ('events("A").size() >= 2 || events("A", days(30)).size() >= 1', None),
        ('last(events("A")).occurred_at > now - days(3)', None),
        ('now.getHours() == 1 && events("A", days(3)).size() > 0', None),
    ],
)
def test_how_far_back_events_matter_is_told_by_the_windows(
    source: str, expected: timedelta | None
) -> None:
    assert reach(condition(source, roots=ROOTS)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('events("A", days(30)).size() >= 2', NOW + timedelta(days=10)),
        ("timestamp(customer.until) < now", datetime(2026, 12, 1, tzinfo=UTC)),
        ("now - timestamp(customer.until) > days(3)", datetime(2026, 12, 4, tzinfo=UTC)),
        ("timestamp(customer.until) < now + days(2)", datetime(2026, 11, 29, tzinfo=UTC)),
        ('now > timestamp("2027-01-01T00:00:00Z")', datetime(2027, 1, 1, tzinfo=UTC)),
        ('events("A").exists(e, e.occurred_at > now - days(25))', NOW + timedelta(days=5)),
        ('now - last(events("A")).occurred_at > days(60)', NOW + timedelta(days=20)),
        ("customer.until == 'x'", None),
        ('events("A").size() >= 2', None),
    ],
)
def test_next_change_is_the_nearest_instant_at_which_a_part_may_turn(
    source: str, expected: datetime | None
) -> None:
    found = next_change(condition(source, roots=ROOTS), bought(first=40, last=20))

    assert found == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("now - timestamp(customer.until) > days(3)", True),
        ('events("A", days(3)).size() == 0', True),
        ("customer.plan == 'pro'", True),
        ("now.getHours() >= 9", False),
        ("int(now) > 3", False),
        ('min([now, timestamp(customer.until)]) < timestamp("2026-01-01T00:00:00Z")', False),
    ],
)
def test_it_is_said_whether_the_next_change_can_be_told(source: str, expected: bool) -> None:
    assert is_derivable(condition(source, roots=ROOTS)) is expected


def test_what_cannot_be_told_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="cannot be told"):
        next_change(condition("now.getHours() >= 9", roots=ROOTS), bought())


def hold_until_the_next_change(source: str, seed: int) -> None:
    """Follows one customer from change to change, and looks in between."""
    try:
        rule = condition(source, roots=ROOTS)
    except ExpressionError:
        assume(False)
    assume("now" in source or "events" in source or "messages" in source)
    if not is_derivable(rule):
        event("not derivable")
        return
    chance = random.Random(seed)
    facts = people.facts(chance)
    for _ in range(4):
        after = next_change(rule, facts)
        assert after is None or after > facts.now
        end = min(after or FURTHEST, FURTHEST)
        if facts.now >= end:
            return
        shares = (chance.random() ** power for power in (1, 3, 9))
        samples = (facts.now + (end - facts.now) * share for share in shares)

        before = [
            facts.now,
            end - timedelta(microseconds=1),
            *(one for one in samples if one < end),
        ]

        holds = {rule.holds(replace(facts, now=one)) for one in before}

        assert len(holds) == 1, f"{source} before {after}, {facts}"
        if after is None:
            return
        turned = rule.holds(replace(facts, now=after)) not in holds
        event("turned" if turned else "stayed")
        facts = replace(facts, now=after)


@settings(COMMON, max_examples=400)
@given(source=written, seed=st.integers(0, 10_000))
def test_no_verdict_changes_before_the_next_change(source: str, seed: int) -> None:
    hold_until_the_next_change(source, seed)


@pytest.mark.slow
@settings(COMMON, max_examples=5_000)
@given(source=written, seed=st.integers(0, 10_000))
def test_no_verdict_of_very_many_changes_before_the_next_change(source: str, seed: int) -> None:
    hold_until_the_next_change(source, seed)
