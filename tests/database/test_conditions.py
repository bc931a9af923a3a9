"""Conditions as SQL mean what they mean in memory: for every customer, whatever the data."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, assume, event, given, settings

from expressions import ExpressionError, Facts, condition, origins
from expressions.sql import ROOTS, compile
from storage import conditions
from storage.connection import prepare
from tests.conftest import fresh_database
from tests.database.population import everything, settle
from tests.grammar import conditions as written
from tests.people import NOW

MANY = 40


@dataclass
class World:
    """A database of customers, and what is known of each."""

    db: asyncpg.Connection
    ids: list[UUID]
    facts: dict[UUID, Facts]
    seed: int | None = None

    async def populate(self, seed: int) -> None:
        """Make it that population, if it is another one."""
        if seed == self.seed:
            return
        self.seed = seed
        self.ids = await settle(self.db, seed, MANY)
        self.facts = await everything(self.db, self.ids)

    def holders(self, source: str) -> set[UUID]:
        """By the evaluator."""
        rule = condition(source, roots=ROOTS)
        return {id for id, facts in self.facts.items() if rule.holds(facts)}


@pytest.fixture(scope="module")
async def world(postgres_url: str, template: str) -> AsyncIterator[World]:
    async with fresh_database(postgres_url, template) as url:
        db = await asyncpg.connect(url)
        await prepare(db)
        made = World(db, [], {})
        await made.populate(1)
        yield made
        await db.close()


async def agree(world: World, source: str) -> None:
    """Holds SQL against the evaluator, customer by customer."""
    try:
        condition(source, roots=ROOTS)
    except ExpressionError:
        assume(False)
    try:
        compile(source)
    except ExpressionError:
        event("refused")
        return
    expected = world.holders(source)
    event("some" if expected else "none")

    found = await conditions.holders(world.db, source, NOW)

    assert found == expected


COMMON = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@settings(COMMON, max_examples=200)
@given(source=written)
async def test_sql_and_memory_agree_on_every_customer(world: World, source: str) -> None:
    await world.populate(1)

    await agree(world, source)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
@settings(COMMON, max_examples=1_000)
@given(source=written)
async def test_sql_and_memory_agree_on_many_populations(
    world: World, seed: int, source: str
) -> None:
    await world.populate(seed)

    await agree(world, source)


@pytest.mark.parametrize(
    "source",
    [
        'customer.s == "a" && customer.n in [1, 2.5, "a"]',
        'events("A").size() >= 2 && sum(events("A", days(30)).map(e, e.n)) > 1.0',
        'sum(events("A").map(e, has(e.n), e.n)) == 0.3 || sum([0.1, 0.2]) != 0.3',
        'events("A").exists(e, events("B").exists(f, f.occurred_at > e.occurred_at && '
        "f.occurred_at <= e.occurred_at + days(7)))",
        '!events("B").exists(e, e.occurred_at >= last(events("A")).occurred_at)',
        'first(events("A")).occurred_at < now - days(3) && last(events("A")).n > 1.0',
        'size(events("A")) * 5 > size(events("B"))',
        'double(events("A").size()) / double(events("B").size()) > 0.5',
        'max(events("A").map(e, e.occurred_at)) < now - days(1)',
        'events("A").exists_one(e, e.s == customer.s) || events("A").all(e, e.b)',
        'events("A")[1].l.exists(x, x == customer.n) || "a" in customer.l',
        'messages("j", days(30)).exists(m, m.opened && m.channel == "email" && m.topic != null)',
        'in_audience("v") && !subscribed("email", "offers") || messages().size() == 0',
        'lower(customer.s) in ["ä", "äö", "\u03bf\u03c3"]',
        "timestamp(customer.t) > now - days(365) && timestamp(customer.t).getFullYear() == 2026",
        'now.getHours("Europe/Berlin") == 13 && now - days(30) < timestamp("2026-11-01T00:00:00Z")',
        '"abc".matches("^a.c$") && customer.s.startsWith("a")',
        "customer.l.filter(x, x > 1.0).size() >= 1 || customer.m == {'n': 1}",
        "(customer.b ? customer.n : customer.s) == 1.0 || (customer.s + customer.s) == 'aa'",
        *(
            f'events("A", {span}).size() {rest}'
            for span in ("days(3)", "days(30)", "days(0)")
            for rest in ("== 1", ">= 1", "< 2")
        ),
        *(
            f'events("A").filter(e, e.occurred_at {operator} now - days(3)).size() == 1'
            for operator in ("<", "<=", "==", ">=", ">")
        ),
        *(f"size(customer.{key}) == {count}" for key in "lms" for count in (0, 1, 2, 3)),
        *(f'customer.s {operator} "a"' for operator in ("<", "<=", ">", ">=")),
        'events("A").map(e, e.x).filter(x, x == 1).size() == 1',
        'events("A").size() >= 2 && sum(events("A", days(3)).map(e, 1.0)) < 1.0',
        'events("A").size() >= 1 && sum(events("B").map(e, 1.0)) == 0.0',
        'sum(events("A").filter(e, has(e.n)).map(e, e.n)) >= sum(events("B").map(e, e.n))',
        'events("A").size() == 0 || sum(events("A", days(3)).map(e, e.n)) == 0.0',
        'messages().size() >= 1 && messages("k").size() == 0 && events("B").size() > 0',
        "true",
        "customer.x",
    ],
)
async def test_conditions_as_people_write_them_agree(world: World, source: str) -> None:
    found = await conditions.holders(world.db, source, NOW)

    assert found == world.holders(source)


async def test_count_and_some_customers_only(world: World) -> None:
    source = 'events("A").size() < 2'
    expected = world.holders(source)
    some = world.ids[: MANY // 2]

    assert await conditions.count(world.db, source, NOW) == len(expected)
    assert await conditions.holders(world.db, source, NOW, some) == expected & set(some)
    assert 0 < len(expected & set(some)) < len(some)


HOSTILE = [
    "'; DROP TABLE customers; --",
    '"; DROP TABLE customers; --',
    "$1",
    "\\'; SELECT 1; --",
    "/* */ -- {} %s :name ?",
    "$$; $tag$",
    "a\nb\tc",
    "ünï 😀",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "source",
    [
        "customer.s == @",
        "customer[@] == 1",
        "has(customer.m) && customer.m[@] == @",
        "lower(customer.s).contains(@)",
        "events(@).size() == 0",
        "messages(@).size() == 0",
        'events("A").exists(e, e[@] == @)',
        "in_audience(@) || subscribed(@, @)",
        "@ in [customer.s, @]",
        '"A" in {@: customer.n}',
    ],
)
async def test_hostile_text_is_a_value_wherever_it_stands(
    world: World, source: str, text: str
) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    source = source.replace("@", quoted)

    statement = compile(source)

    assert text not in statement.text.replace("$1", "") or text == "$1"
    assert await conditions.holders(world.db, source, NOW) == world.holders(source)


async def test_times_are_read_from_text_as_cel_reads_them(world: World) -> None:
    texts = [
        "2026-11-24T12:00:00Z", "2026-11-24t12:00:00z", " 2026-11-24T12:00:00Z\n",
        "2026-1-2T3:4:5Z", "2024-02-29T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-11-24T24:00:00Z", "2026-11-24T23:59:60Z", "2026-11-24T23:59:61Z",
        "2026-11-24T12:00:00+01:00", "2026-11-24T12:00:00+0100", "2026-11-24T12:00:00-01",
        "2026-11-24T12:00:00+24:00", "2026-11-24T12:00:00+01:60", "2026-11-24T12:00:00+01:00:30",
        "2026-11-24T12:00:00", "2026-11-24", "2026-11-24 12:00:00Z", "now", "infinity", "epoch",
        "20-01-01T00:00:00Z", "020-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "",
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z", "-2026-01-01T00:00:00Z",
        "2026-11-24T12:00:00.5Z", "2026-11-24T12:00:00.Z", "2026-11-24T12:00:00.1234567Z",
        "2026-11-24T12:00:00+14:59", "2026-11-24T12:00:00+15:00", "٢026-11-24T12:00:00Z",
    ]  # fmt: skip
    for text in texts:
        expected = origins.parse(text)

        assert await world.db.fetchval("SELECT condition_time($1)", text) == expected, text


async def test_times_do_not_depend_on_the_session(world: World) -> None:
    source = 'events("A").exists(e, e.occurred_at + days(3) > now - hours(1)) || customer.n == 1'
    expected = world.holders(source)

    try:
        await world.db.execute("SET TimeZone = 'America/New_York'; SET DateStyle = 'German, DMY'")
        found = await conditions.holders(world.db, source, NOW)
    finally:
        await world.db.execute("RESET TimeZone; RESET DateStyle")

    assert found == expected
