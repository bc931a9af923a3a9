"""Unknown follows the three-valued logic that SQL has, and projection changes no answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressions import Facts, PastEvent, condition

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ATOMS = {
    "event.yes": True,
    "event.no": False,
    "event.missing": None,
    "event.text > 3": None,
    "event.number > 1": True,
    "has(event.missing)": False,
    "event.number": None,
    "customer.missing == 1": None,
    "entry.x == 1": None,
    "1 / 0 == 1": None,
    "true": True,
}
Tree = tuple[str, bool | None]


def conjunction(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def negation(a: bool | None) -> bool | None:
    return None if a is None else not a


def combined(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    pairs = st.tuples(children, children)
    return st.one_of(
        children.map(lambda a: (f"!({a[0]})", negation(a[1]))),
        pairs.map(lambda p: (f"({p[0][0]} && {p[1][0]})", conjunction(p[0][1], p[1][1]))),
        pairs.map(
            lambda p: (
                f"({p[0][0]} || {p[1][0]})",
                negation(conjunction(negation(p[0][1]), negation(p[1][1]))),
            )
        ),
    )


@given(st.recursive(st.sampled_from(sorted(ATOMS.items())), combined, max_leaves=10))
def test_unknown_is_absorbed_as_in_sql(tree: Tree) -> None:
    source, expected = tree
    facts = Facts(NOW, event={"yes": True, "no": False, "text": "a", "number": 2})

    # A lone number is no condition by type; behind `||` it is one that is never known.
    rule = condition(f"{source} || false")

    assert rule.judge(facts).holds is expected
    assert rule.holds(facts) is (expected is True)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text("ab")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
PROPERTIES = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)
PAST = st.lists(st.tuples(st.integers(-100, 2000), PROPERTIES), max_size=4).map(
    lambda pairs: [
        PastEvent("Order", NOW - timedelta(hours=ago), properties)
        for ago, properties in sorted(pairs, key=lambda pair: -pair[0])
    ]
)
READS_ALL = '|| size(customer) < 0 || size(event) < 0 || events("Order").exists(e, size(e) < 0)'


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "customer.a.b == event.a",
        "customer.a.b.c > 1.0 || customer.a == null",
        "customer.a[0].b == 1 && event.a[event.b] == 1",
        'customer["a"]["b"] == "a" || has(customer.a.b)',
        "event.a.exists(x, x.a == customer.b.a)",
        'events("Order", days(30)).size() >= 2',
        'events("Order").exists(e, e.a == 1 || e.b.c == customer.a)',
        'sum(events("Order").map(e, e.a)) > 1.0',
        'events("Order").filter(e, e.a == e.b).size() == 1',
        'events("Order").all(e, e.occurred_at > now - days(10))',
        'events("Order").exists(e, events("Order").exists(f, f.a == e.b))',
        'events("Order")[0].a == 1',
        "event == customer",
    ],
)
@given(customer=PROPERTIES, event=PROPERTIES, past=PAST)
def test_handing_over_only_what_is_read_changes_no_answer(
    source: str, customer: dict[str, Any], event: dict[str, Any], past: list[PastEvent]
) -> None:
    facts = Facts(NOW, customer=customer, event=event, history={"Order": past})

    narrow = condition(source).judge(facts).holds

    assert condition(f"({source}) {READS_ALL}").judge(facts).holds is narrow
