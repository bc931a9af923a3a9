"""What is evaluated without CEL comes to what CEL says, whatever the data are."""

import random

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from expressions import ExpressionError, Facts, condition
from expressions.direct import direct
from expressions.evaluators import Unknown, Unsure
from tests import people
from tests.grammar import conditions as written

ROOTS = {"customer", "now"}
COMMON = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TEMPLATES = (
    "customer.{key} {compares} {value}",
    "customer.m.{key} {compares} {value}",
    "has(customer.{key}) {joins} has(customer.m.{key})",
    'customer.{key} in ["a", "b", "x"]',
    'events("{name}"{span}).size() {compares} {count}',
    'events("{name}"{span}).filter(e, e.{key} {compares} {value}).size() {compares} {count}',
    'sum(events("{name}"{span}).map(e, e.{key})) {compares} {value}',
    'sum(events("{name}"{span}).map(e, has(e.{key}), e.{key} * 2.0)) {compares} {value}',
    'events("{name}"{span}).exists(e, e.{key} {compares} {value} {joins} e.n {compares} 1.0)',
    'events("{name}"{span}).all(e, e.{key} {compares} customer.n)',
    'double(events("A").size()) / double(events("{name}"{span}).size()) {compares} 0.5',
    'in_audience("v") {joins} !in_audience("w")',
    "customer.b",
    "customer.{key}.size() {compares} {count}",
    'events("{name}").exists(e, e.{key}.size() {compares} {count})',
    '{place}(events("{name}"{span})).{key} {compares} {value}',
    '{place}(events("{name}")).occurred_at + days(3) {compares} now',
    'now - {place}(events("{name}"{span})).occurred_at {compares} days(3)',
    'events("{name}").exists(e, e.occurred_at {compares} now - days(3) {joins} e.{key} == {value})',
    'events("{name}").exists(e, events("A"{span}).exists(f, f.occurred_at < e.occurred_at && '
    "e.occurred_at {compares} f.occurred_at + days(3)))",
    'events("{name}").all(e, events("B").filter(f, f.{key} == e.{key}).size() {compares} {count})',
    'events("{name}").exists(e, events("B").exists(e, e.{key} {compares} {value}) {joins} e.b)',
    "{value} {compares} customer.n - customer.x",
)


def written_plainly(seed: int) -> str:
    """A condition as most are: some plain clauses, joined."""
    chance = random.Random(seed)

    def clause() -> str:
        return ("!({})" if chance.random() < 0.2 else "({})").format(
            chance.choice(TEMPLATES).format(
                key=chance.choice("nsblmtx"),
                name=chance.choice(people.NAMES),
                span=chance.choice(["", ", days(3)", ", days(30)", ", hours(0)", ", days(4e6)"]),
                place=chance.choice(["first", "last"]),
                compares=chance.choice(["==", "!=", "<", "<=", ">", ">="]),
                joins=chance.choice(["&&", "||"]),
                count=chance.choice([0, 1, 2, "1.5"]),
                value=chance.choice(['"a"', "1.0", "2", "true", "0.3", "9007199254740992.0"]),
            )
        )

    return chance.choice([" && ", " || "]).join(clause() for _ in range(chance.randrange(1, 4)))


def agree(source: str, facts: Facts) -> None:
    """Holds both against each other, where there are both."""
    try:
        compiled = condition(source, roots=ROOTS).program
    except ExpressionError:
        assume(False)
    evaluate = direct(compiled)
    if evaluate is None:
        event("for CEL")
        return
    result = compiled.evaluate(facts)
    known = result is not None and result.type().name() != "ERROR"
    try:
        found = evaluate(facts, ())
    except Unsure:
        event("unsure")
    except Unknown:
        event("unknown")
        assert not known, (source, result and result.plain_value())
    else:
        event("known")
        assert known, (source, found, result and result.plain_value())
        assert result is not None
        assert found == result.plain_value(), source
        assert isinstance(found, bool) == isinstance(result.plain_value(), bool)


@settings(COMMON, max_examples=1_500)
@given(source=st.builds(written_plainly, st.integers(0, 2**32)), seed=st.integers(0, 2**32))
def test_plain_conditions_come_to_what_cel_says(source: str, seed: int) -> None:
    agree(source, people.facts(random.Random(seed)))


@settings(COMMON, max_examples=1_500)
@given(source=written, seed=st.integers(0, 2**32))
def test_any_condition_comes_to_what_cel_says(source: str, seed: int) -> None:
    agree(source, people.facts(random.Random(seed)))
