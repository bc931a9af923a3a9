"""Audiences: who is in by a statement and by being judged, and what follows from a change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from audiences.catalog import Catalog, named
from audiences.definition import AUDIENCE, Composition
from clock import Clock
from journeys.event import SHARDS, Event, event_id
from journeys.identity import CustomerId, ExternalId
from routing.catalogs import Catalogs
from routing.evaluating import Evaluation
from routing.qualifier import Qualifier
from routing.registry import Registry
from routing.round import Round
from routing.router import Router
from storage import (
    audience_queue,
    audiences,
    customers,
    evaluation,
    events,
    external_ids,
    inbox,
    members,
)
from storage.audience_queue import Touched
from storage.customers import Written
from storage.pool import Pool

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOYAL = {"kind": "rule", "when": 'events("Order Completed", days(90)).size() >= 2'}
RICH = {"kind": "rule", "when": "customer.worth > 100.0"}
PILOT = {"kind": "composition", "union": ["rich"], "parts": {"a": 30, "b": 50}}


class World:
    """A database with customers, and everything that judges them."""

    def __init__(self, pool: Pool, url: str) -> None:
        self.pool, self.url = pool, url
        self.catalogs = Catalogs()
        self.evaluation = Evaluation(url, pool, self.catalogs, self.clock)
        self.told: list[tuple[str, bool]] = []
        self.qualifier = Qualifier(pool, self.catalogs, self.clock, self.tell, lambda: None)

    @property
    def clock(self) -> Clock:
        """A clock that stands still."""
        return Clock(origin=NOW, anchor=NOW, scale=0.0)

    async def tell(self, _: object, changes: Any) -> bool:
        """Remember what has changed."""
        self.told += [(one.audience, one.joined) for one in changes]
        return False

    async def publish(self, name: str, definition: dict[str, Any]) -> None:
        """Publish an audience, and find its members."""
        audience = AUDIENCE.validate_python({"audience": name, **definition})
        await audiences.publish(self.pool, audience, str(definition), NOW - timedelta(days=1))
        await self.evaluation.once()

    async def customer(self, user: str, orders: int = 0, **attributes: Any) -> CustomerId:
        """A customer with some orders and attributes."""
        id = CustomerId(uuid4())
        await customers.create(self.pool, [id], NOW)
        await external_ids.link(self.pool, {ExternalId("user_id", user): id}, NOW)
        await self.know(id, **attributes)
        for number in range(orders):
            await self.order(id, NOW - timedelta(days=number + 1))
        return id

    async def know(self, id: CustomerId, **attributes: Any) -> None:
        """Set attributes."""
        times = dict.fromkeys(attributes, NOW.timestamp())
        await customers.write(self.pool, [Written(id, attributes, times)])

    async def order(self, id: CustomerId, at: datetime) -> None:
        """The customer has ordered."""
        event = ordered("u", at)
        await events.insert(self.pool, [event], route=False)
        await self.pool.execute("UPDATE events SET customer = $1 WHERE id = $2", id, event.id)

    async def route(self, *happened: Event) -> None:
        """These are stored and routed."""
        await events.insert(self.pool, happened)
        round = Round(
            self.pool, Registry(), None, self.clock, b"", timedelta(days=99), self.catalogs  # type: ignore[arg-type]  # no journey is published: nobody speaks to the engine
        )  # fmt: skip
        await Router(self.url, round).route(
            *await inbox.unrouted(self.pool, range(SHARDS), NOW, 1_000)
        )

    async def judge(self, id: UUID, *names: str) -> None:
        """Have a customer judged, and whatever follows."""
        await audience_queue.put(self.pool, [Touched(id, names)])
        while await self.qualifier.once():
            pass

    async def members(self, name: str) -> set[CustomerId]:
        """Who is in."""
        return {one.customer for one in await members.listed(self.pool, name, limit=500)}


def ordered(user: str, at: datetime) -> Event:
    """An order of somebody."""
    message = uuid4().hex
    return Event(
        id=event_id(message),
        received_at=at,
        occurred_at=at,
        kind="track",
        name="Order Completed",
        message_id=message,
        user_id=user,
        anonymous_id=None,
        properties={},
        context={},
    )


@pytest.fixture
async def world(database_url: str, db: Pool) -> World:
    return World(db, database_url)


async def test_publishing_finds_members_and_an_event_moves_one(world: World) -> None:
    ada, bob = await world.customer("ada", orders=2), await world.customer("bob", orders=1)
    await world.publish("loyal", LOYAL)
    assert await world.members("loyal") == {ada}

    await world.order(bob, NOW - timedelta(hours=1))
    await world.judge(bob, "loyal")

    assert await world.members("loyal") == {ada, bob}
    assert world.told == [("loyal", True)]
    [joined] = await members.changes_of(world.pool, bob)
    assert joined.why is not None
    assert joined.why["values"] == {'events("Order Completed", days(90))': {"count": 2}}


async def test_an_event_is_judged_as_it_is_routed(world: World) -> None:
    ada, bob = await world.customer("ada", orders=1), await world.customer("bob")
    await world.order(bob, NOW - timedelta(days=91))
    await world.publish("loyal", LOYAL)
    last = ordered("ada", NOW - timedelta(minutes=1))

    await world.route(last, ordered("bob", NOW - timedelta(minutes=2)))

    assert await world.members("loyal") == {ada}
    assert not await audience_queue.is_waiting(world.pool)
    [joined] = await members.changes_of(world.pool, ada)
    assert joined.why is not None
    assert joined.why["event"] == str(last.id)
    checks = await world.pool.fetch("SELECT customer, at FROM audience_checks")
    assert {row["customer"] for row in checks} == {ada, bob}


async def test_an_event_is_judged_later_while_the_members_are_being_found(world: World) -> None:
    await world.customer("ada", orders=2)
    audience = AUDIENCE.validate_python({"audience": "loyal", **LOYAL})
    await audiences.publish(world.pool, audience, "1", NOW)

    await world.catalogs.refresh(world.pool)
    await world.route(ordered("ada", NOW))

    assert await world.members("loyal") == set()
    assert await audience_queue.is_waiting(world.pool)


async def test_what_depends_on_an_audience_is_judged_after_it(world: World) -> None:
    ada = await world.customer("ada", worth=50)
    await world.publish("rich", RICH)
    await world.publish("poor", {"kind": "rule", "when": '!in_audience("rich")'})
    await world.publish("both", {"kind": "composition", "union": ["rich", "poor"]})
    assert await world.members("poor") == await world.members("both") == {ada}

    await world.know(ada, worth=500)
    await world.judge(ada, "rich")

    assert await world.members("rich") == await world.members("both") == {ada}
    assert await world.members("poor") == set()


async def test_parts_are_the_same_by_statement_and_one_by_one(world: World) -> None:
    people = [await world.customer(f"u{number}", worth=200) for number in range(60)]
    await world.publish("rich", RICH)
    await world.publish("pilot", PILOT)
    found = {part: await world.members(f"pilot/{part}") for part in "ab"}
    pilot = AUDIENCE.validate_python({"audience": "pilot", **PILOT})
    assert isinstance(pilot, Composition)

    assert await world.members("pilot") == set(people)
    assert found["a"]
    assert found["b"]
    for one in people:
        part = pilot.part_of(one)
        assert {f"pilot/{name}" for name in "ab" if one in found[name]} == ({part} - {None})
    world.told.clear()
    for one in people:
        await world.judge(one, "pilot")
    assert world.told == []


async def test_a_part_that_a_new_version_does_not_have_is_left(world: World) -> None:
    people = [await world.customer(f"u{number}", worth=200) for number in range(20)]
    await world.publish("rich", RICH)
    await world.publish("pilot", {**PILOT, "parts": {"a": 50, "b": 50}})
    left = await world.members("pilot/b")

    await world.publish("pilot", {**PILOT, "parts": {"a": 50}})

    assert left
    assert await world.members("pilot/b") == set()
    assert await world.members("pilot/a") == set(people) - left
    [*_, last] = [one for one in await members.changes_of(world.pool, min(left))
                  if one.audience == "pilot/b"][::-1]  # fmt: skip
    assert not last.joined


async def test_whole_audiences_are_found_in_more_memory_than_is_usual(world: World) -> None:
    async with world.pool.acquire() as connection:
        async with connection.transaction():
            await evaluation.make_room(connection)
            room = await connection.fetchval(
                "SELECT pg_size_bytes(current_setting('work_mem')) * 16"
                " / pg_size_bytes(current_setting('shared_buffers'))"
            )
        assert room == 1
        assert await connection.fetchval("SHOW work_mem") == "4MB"


async def test_ranked_compositions_keep_the_first_of_each_kind(world: World) -> None:
    ada = await world.customer("ada", worth=300, household="north")
    await world.customer("bob", worth=200, household="north")
    eve = await world.customer("eve", worth=150)
    await world.customer("kim", worth=120)
    await world.publish("rich", RICH)

    await world.publish(
        "first",
        {
            "kind": "composition", "union": ["rich"], "distinct_by": "customer.household",
            "order_by": {"value": "customer.worth"}, "limit": 2,
        },
    )  # fmt: skip

    assert await world.members("first") == {ada, eve}


@pytest.mark.parametrize(("order", "first"), [
    ({"value": 'events("Order Completed").size()'}, ["bob", "ada"]),
    ({"value": 'events("Order Completed").size()', "ascending": True}, ["eve", "ada"]),
    ({"value": 'in_audience("rich") ? 1 : 0'}, ["ada", "bob"]),
])  # fmt: skip
async def test_members_are_ranked_by_any_value(
    world: World, order: dict[str, Any], first: list[str]
) -> None:
    people = {
        "ada": await world.customer("ada", orders=2, worth=300),
        "bob": await world.customer("bob", orders=3, worth=300),
        "eve": await world.customer("eve", orders=0, worth=1),
    }
    await world.publish("all", {"kind": "rule", "when": "true"})
    await world.publish("rich", RICH)

    await world.publish(
        "first", {"kind": "composition", "union": ["all"], "order_by": order, "limit": 2}
    )

    assert await world.members("first") == {people[one] for one in first}


async def test_whoever_differs_from_the_statement_is_judged_again(world: World) -> None:
    ada, bob = await world.customer("ada", worth=300), await world.customer("bob", worth=1)
    await world.publish("rich", RICH)
    await world.know(ada, worth=2)
    await world.know(bob, worth=500)
    await world.pool.execute("UPDATE audiences SET evaluated_at = $1", NOW - timedelta(days=2))

    await world.evaluation.once()
    while await world.qualifier.once():
        pass

    assert await world.members("rich") == {bob}


async def test_customers_wait_while_the_members_are_being_found(world: World) -> None:
    ada = await world.customer("ada", worth=300)
    audience = AUDIENCE.validate_python({"audience": "rich", **RICH})
    await audiences.publish(world.pool, audience, "1", NOW)
    await audience_queue.put(world.pool, [Touched(ada, ["rich"])])
    assert await world.qualifier.once() == 1

    assert await world.members("rich") == set()
    assert await audience_queue.is_waiting(world.pool)


async def test_catalog_knows_who_is_touched_and_what_goes_in_a_circle() -> None:
    definitions: dict[str, dict[str, Any]] = {"loyal": LOYAL, "rich": RICH, "pilot": PILOT}
    given = {
        name: AUDIENCE.validate_python({"audience": name, **one})
        for name, one in definitions.items()
    }
    catalog = Catalog(given, frozenset(given))

    assert catalog.touched_by("Order Completed", ()) == {"loyal"}
    assert catalog.touched_by("Customer Identified", ["worth"]) == {"rich"}
    assert catalog.dependents(["rich"]) == {"pilot"}
    assert catalog.users("rich") == ["pilot"]
    ranked = {"kind": "composition", "union": ["loyal"], "order_by": {"value": 'in_audience("x")'}}
    assert named(AUDIENCE.validate_python({"audience": "y", **ranked})) == {"loyal", "x"}
    circle = AUDIENCE.validate_python({
        "audience": "rich",
        "kind": "rule",
        "when": 'in_audience("pilot/a")',
    })
    assert set(catalog.cycle(circle) or ()) == {"rich", "pilot"}


async def test_an_audience_published_during_a_round_is_for_the_next_one(
    db: Pool, database_url: str
) -> None:
    world = World(db, database_url)
    await world.publish("rich", RICH)

    class Overtaken(Catalogs):
        """A catalog after which somebody publishes, before the round goes on."""

        async def refresh(self, db: Any, changed: int | None = None) -> Catalog:
            found = await super().refresh(db, changed)
            audience = AUDIENCE.validate_python({"audience": "loyal", **LOYAL})
            await audiences.publish(db, audience, "x", NOW - timedelta(days=1))
            return found

    await Evaluation(database_url, db, Overtaken(), world.clock).once()
    ready = "SELECT ready_at IS NOT NULL FROM audiences WHERE name = 'loyal'"

    assert not await db.fetchval(ready)
    await world.evaluation.once()
    assert await db.fetchval(ready)
