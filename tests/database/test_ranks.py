"""Values as SQL put customers in the order in which the evaluator puts them."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from expressions import ExpressionError, Facts, UnknownValue, value
from expressions.sql.ranks import ROOTS, compile_value
from storage.connection import prepare
from tests.conftest import fresh_database
from tests.database.population import everything, settle
from tests.people import NOW

SOURCES = [
    'events("A").size()',
    'size(events("A", days(30))) - size(events("B"))',
    'sum(events("A").filter(e, has(e.n) && e.n < 5.0).map(e, e.n))',
    'max(events("A").map(e, e.occurred_at))',
    'now - last(events("B")).occurred_at',
    'events("A").size() > 1',
    'subscribed("email") ? 2 : 1',
    'in_audience("v") ? 10.0 : customer.n',
    "customer.n > 1.0",
    'lower(customer.s) + "!"',
    "customer.n / customer.n",
    "0.0 - customer.n",
    "2",
]  # fmt: skip


@pytest.fixture(scope="module")
async def facts(postgres_url: str, template: str) -> AsyncIterator[tuple[Any, dict[UUID, Facts]]]:
    async with fresh_database(postgres_url, template) as url:
        db = await asyncpg.connect(url)
        await prepare(db)
        ids = await settle(db, 11, 60)
        yield db, await everything(db, ids)
        await db.close()


def known(source: str, facts: Facts) -> Any:
    try:
        found = value(source, roots=ROOTS).of(facts)
    except UnknownValue:
        return None
    if "?" in source and (isinstance(found, bool) or not isinstance(found, int | float)):
        return None  # branches give numbers, or nothing that is known
    return None if found != found else found


@pytest.mark.parametrize("source", SOURCES)
async def test_sql_ranks_as_the_evaluator_does(
    facts: tuple[asyncpg.Connection, dict[UUID, Facts]], source: str
) -> None:
    db, people = facts
    statement = compile_value(source)
    rows = await db.fetch(
        f"SELECT id, dense_rank() OVER (ORDER BY value) AS rank FROM ({statement.text}) o "
        "WHERE value IS NOT NULL",
        *statement.arguments(NOW),
    )

    found = {row["id"]: row["rank"] for row in rows if row["id"] in people}
    values = {id: known(source, one) for id, one in people.items()}
    places = sorted({one for one in values.values() if one is not None})
    expected = {id: places.index(one) + 1 for id, one in values.items() if one is not None}
    assert found == expected
    assert expected


@pytest.mark.parametrize(("source", "said", "column"), [
    ('events("A")', "this has no order", 7),
    ("[customer.a, customer.b]", "this has no order", 1),
    ('events("A").map(e, e.total)', "this has no order", 16),
    ('customer.vip ? customer.name : now', "values of different kinds", 14),
    ('customer.vip ? 1 : "gold"', "does not take (dyn, int, string)", 14),
    ("customer.worth +", "", 17),
    ('customer.name.matches("a.c") ? 1 : 0', "regular expressions", 22),
    ("events(customer.name).size()", "the name of the event must be written out", 16),
])  # fmt: skip
def test_what_has_no_order_is_refused_with_its_place(source: str, said: str, column: int) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_value(source)

    assert said in refused.value.message
    assert refused.value.column == column
