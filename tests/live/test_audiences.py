"""Audiences in a running system: in or out within a second, by events, attributes and time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from audiences.definition import AUDIENCE
from storage import audiences, customers
from tests.live.system import System, event, working

LOYAL = {"kind": "rule", "when": 'events("Order Completed", days(90)).size() >= 2'}
RICH = {"kind": "rule", "when": "customer.worth > 100.0"}
GREET: dict[str, Any] = {
    "journey": "greet",
    "entry": {"event": "Audience Joined", "when": 'event.audience == "loyal"'},
    "steps": [{"id": "hi", "kind": "send", "channel": "email", "template": "hello"}],
}
RAISE: dict[str, Any] = {
    "journey": "raise",
    "entry": {"event": "Order Completed"},
    "steps": [{"id": "set", "kind": "update", "set": {"worth": "500.0"}}],
}
IN = "SELECT count(*) FROM audience_members WHERE audience = $1"


async def publish(live: System, name: str, definition: dict[str, Any]) -> None:
    """Publish an audience, and return once its members have been found."""
    audience = AUDIENCE.validate_python({"audience": name, **definition})
    await audiences.publish(live.pool, audience, str(definition), datetime.now(UTC))
    await live.until("SELECT ready_at IS NOT NULL FROM audiences WHERE name = $1", name)


async def test_an_event_moves_a_customer_within_a_second_and_a_journey_hears_of_it(
    live: System,
) -> None:
    await live.publish(GREET)
    async with working(live.settings):
        await live.identify("ada", email="ada@x.example")
        await publish(live, "loyal", LOYAL)
        await live.send("Order Completed", "ada")
        await live.routed()

        await live.send("Order Completed", "ada")
        await live.until(IN, "loyal", within=1)
        await live.until("SELECT count(*) FROM messages WHERE state = 'accepted'")

    assert live.mailbox.count == 1


async def test_attributes_move_a_customer_whoever_sets_them(live: System) -> None:
    await live.publish(RAISE)
    async with working(live.settings):
        await publish(live, "rich", RICH)
        await live.identify("ada", worth=200)
        await live.until(IN, "rich", within=1)
        await live.identify("ada", worth=20)
        await live.until(f"SELECT ({IN}) = 0", "rich", within=1)

        await live.send("Order Completed", "ada")

        await live.until(IN, "rich", within=2)


async def test_a_new_customer_is_judged_by_what_holds_for_strangers(live: System) -> None:
    async with working(live.settings):
        await publish(live, "strangers", {"kind": "rule", "when": "!has(customer.email)"})

        await live.send("Page Viewed", "ada")

        await live.until(IN, "strangers", within=1)


async def test_two_who_become_one_are_judged_together(live: System) -> None:
    async with working(live.settings):
        await publish(live, "loyal", LOYAL)
        await live.store(
            event("Order Completed", None, anonymous="a1"), event("Order Completed", "ada")
        )
        await live.routed()
        assert not await live.pool.fetchval(IN, "loyal")

        await live.store(event("Customer Identified", "ada", kind="identify", anonymous="a1"))

        await live.until(IN, "loyal", within=2)


async def test_time_alone_moves_a_customer(live: System) -> None:
    just_over = datetime.now(UTC) - timedelta(days=90) + timedelta(seconds=4)
    async with working(live.settings):
        await publish(live, "loyal", LOYAL)
        await live.store(
            event("Order Completed", "ada", at=just_over), event("Order Completed", "ada")
        )
        await live.until(IN, "loyal", within=2)

        await live.until(f"SELECT ({IN}) = 0", "loyal", within=10)


async def test_customers_before_the_audience_leave_it_by_time_too(live: System) -> None:
    just_over = datetime.now(UTC) - timedelta(days=90) + timedelta(seconds=6)
    async with working(live.settings):
        await live.store(
            event("Order Completed", "ada", at=just_over), event("Order Completed", "ada")
        )
        await live.routed()
        await publish(live, "loyal", LOYAL)
        assert await live.pool.fetchval(IN, "loyal") == 1

        await live.until(f"SELECT ({IN}) = 0", "loyal", within=12)
    assert len(await customers.ids(live.pool, None, 10)) == 1
