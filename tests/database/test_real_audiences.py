"""Ten audiences over a real shop's year: by a statement, by judging event after event, by hand."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from audiences.definition import AUDIENCE, AnyAudience
from cli.event_file import opened
from clock import Clock
from journeys.event import SHARDS, Event
from routing.catalogs import Catalogs
from routing.evaluating import Evaluation, query_of
from routing.qualifier import Qualifier
from routing.registry import Registry
from routing.round import Round
from routing.router import Router
from storage import audience_queue, audiences, events, inbox
from storage.pool import Pool
from tests.shop import YEAR, with_year

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TURN = 28 * DAY  # what happens in it is routed and judged together


class Order(NamedTuple):
    """An order, or the cancelling of one."""

    at: datetime
    total: float
    products: int


@dataclass
class Person:
    """What the file says of a customer."""

    country: str | None = None
    orders: list[Order] = field(default_factory=list)
    cancelled: list[Order] = field(default_factory=list)

    def recent(self, days: int) -> list[Order]:
        """The orders of the last days."""
        return [one for one in self.orders if one.at > NOW - days * DAY]

    @property
    def spent(self) -> float:
        """All orders together."""
        return sum(one.total for one in self.orders)


def gone_after_the_first(person: Person) -> bool:
    """One order, and none in the 30 days after it, which are over."""
    if not person.orders:
        return False
    end = person.orders[0].at + 30 * DAY
    return end < NOW and not any(person.orders[0].at < one.at <= end for one in person.orders)


def changed_their_mind(person: Person) -> bool:
    """Something was cancelled within two days of an order."""
    return any(
        order.at < one.at < order.at + 2 * DAY
        for one in person.cancelled
        for order in person.orders
    )


ORDERS, CANCELLED = 'events("Order Completed")', 'events("Order Cancelled")'
SPENT = f"sum({ORDERS}.map(e, e.total))"
FIRST = f"first({ORDERS}).occurred_at"
TEN: dict[str, tuple[str, Callable[[Person], bool]]] = {
    "often-and-much": (
        f'events("Order Completed", days(90)).size() >= 3 && {SPENT} > 500.0',
        lambda one: len(one.recent(90)) >= 3 and one.spent > 500,
    ),
    "gone-after-the-first": (
        f"{FIRST} + days(30) < now && !{ORDERS}.exists(e, "
        f"e.occurred_at > {FIRST} && e.occurred_at <= {FIRST} + days(30))",
        gone_after_the_first,
    ),
    "cancels-a-fifth": (
        f"double({CANCELLED}.size()) > 0.2 * double({ORDERS}.size())",
        lambda one: len(one.cancelled) > 0.2 * len(one.orders),
    ),
    "quiet": (
        f'{ORDERS}.size() >= 1 && events("Order Completed", days(30)).size() == 0',
        lambda one: bool(one.orders) and not one.recent(30),
    ),
    "abroad": (
        'customer.country != "United Kingdom"',
        lambda one: one.country not in (None, "United Kingdom"),
    ),
    "big-basket": (
        f"{ORDERS}.exists(e, e.products.size() >= 50)",
        lambda one: any(order.products >= 50 for order in one.orders),
    ),
    "rich-on-average": (
        f"{ORDERS}.size() > 0 && {SPENT} / double({ORDERS}.size()) > 400.0",
        lambda one: bool(one.orders) and one.spent / len(one.orders) > 400,
    ),
    "changed-their-mind": (
        f"{CANCELLED}.exists(c, {ORDERS}.exists(o, "
        "o.occurred_at < c.occurred_at && c.occurred_at < o.occurred_at + days(2)))",
        changed_their_mind,
    ),
    "neighbours": (
        'customer.country in ["Germany", "France"] && '
        'events("Order Completed", days(180)).exists(e, e.total > 300.0)',
        lambda one: (
            one.country in ("Germany", "France")
            and any(order.total > 300 for order in one.recent(180))
        ),
    ),
    "always-small": (
        f"{ORDERS}.size() >= 2 && {ORDERS}.all(e, e.total < 200.0)",
        lambda one: len(one.orders) >= 2 and all(order.total < 200 for order in one.orders),
    ),
}


def history() -> list[Event]:
    """The file's events, shifted so that the last occurs now."""
    found = opened(YEAR, to=NOW).events()
    return [replace(one, received_at=one.occurred_at) for one in found if isinstance(one, Event)]


def by_hand(happened: list[Event]) -> dict[str, set[str]]:
    """Who is in which audience, as the test itself works it out."""
    people: dict[str, Person] = defaultdict(Person)
    for one in happened:
        person = people[one.user_id or one.anonymous_id or ""]
        said: dict[str, Any] = one.properties
        if one.kind == "identify":
            person.country = said.get("country", person.country)
            continue
        order = Order(one.occurred_at, said["total"], len(said["products"]))
        (person.orders if one.name == "Order Completed" else person.cancelled).append(order)
    return {
        name: {id for id, person in people.items() if rule(person)}
        for name, (_, rule) in TEN.items()
    }


def turns_of(happened: list[Event]) -> Iterator[tuple[datetime, list[Event]]]:
    """The events turn by turn, with the instant at which each turn ends."""
    for left, group in groupby(happened, lambda one: (NOW - one.occurred_at) // TURN):
        yield NOW - left * TURN, list(group)


@dataclass
class Shop:
    """The system, as far as it judges customers, on a clock that is moved by hand."""

    db: Pool
    url: str
    catalogs: Catalogs = field(default_factory=Catalogs)

    async def publish(self, now: datetime) -> None:
        """Publish all ten, before anything has happened."""
        for name in TEN:
            await audiences.publish(self.db, audience_of(name), name, now)
        await Evaluation(self.url, self.db, self.catalogs, clock_at(now)).once()

    async def live(self, turn: list[Event], end: datetime) -> None:
        """A turn's events are stored and routed, and whom they or time concern is judged."""
        for start in range(0, len(turn), 500):
            await events.insert(self.db, turn[start : start + 500])
        round = Round(
            self.db, Registry(), None, clock_at(end), b"real", timedelta(days=999), self.catalogs  # type: ignore[arg-type]  # no journey is published: nobody speaks to the engine
        )  # fmt: skip
        router = Router(self.url, round)
        while await self.db.fetchval("SELECT EXISTS (SELECT FROM inbox)"):
            await router.route(*await inbox.unrouted(self.db, range(SHARDS), end, 1000))
        catalog = await self.catalogs.refresh(self.db)
        while await audience_queue.put_due(self.db, [*catalog.timely], end, 1000):
            pass
        qualifier = Qualifier(self.db, self.catalogs, clock_at(end), quiet, lambda: None)
        while await qualifier.once():
            pass

    async def found(self) -> dict[str, set[str]]:
        """Who is in, by each audience's statement."""
        names, result = await self._names(), {}
        for name in TEN:
            query = query_of(audience_of(name), NOW)
            rows = await self.db.fetch(query.text, *query.parameters)
            result[name] = {names[row["id"]] for row in rows}
        return result

    async def judged(self) -> dict[str, set[str]]:
        """Who is in, as it was judged."""
        names, result = await self._names(), defaultdict(set)
        for row in await self.db.fetch("SELECT audience, customer FROM audience_members"):
            result[row["audience"]].add(names[row["customer"]])
        return result

    async def _names(self) -> dict[UUID, str]:
        rows = await self.db.fetch("SELECT customer, value FROM external_ids")
        return {row["customer"]: row["value"] for row in rows}


def audience_of(name: str) -> AnyAudience:
    """One of the ten."""
    return AUDIENCE.validate_python({"audience": name, "kind": "rule", "when": TEN[name][0]})


def clock_at(instant: datetime) -> Clock:
    """A clock that stands still."""
    return Clock(origin=instant, anchor=instant, scale=0.0)


async def quiet(*_: object) -> bool:
    """Nobody wants to hear of changes."""
    return False


@pytest.mark.slow
@with_year
async def test_the_same_members_by_statement_by_judging_and_by_hand(
    database_url: str, db: Pool
) -> None:
    happened = history()
    expected = by_hand(happened)
    shop = Shop(db, database_url)
    await shop.publish(happened[0].occurred_at - DAY)
    for end, turn in turns_of(happened):
        await shop.live(turn, end)

    found, judged = await shop.found(), await shop.judged()

    for name, wanted in expected.items():
        assert wanted
        assert found[name] == wanted, name
        assert judged[name] == wanted, name
