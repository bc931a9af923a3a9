"""Groups enter by joining, by a business event, by a date, and each at its own local time."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from activities.broadcasts import Broadcasts
from activities.mailings import Mailings
from activities.runs import Runs
from api.why import why
from audiences.definition import AUDIENCE
from cli.why import lines
from clock import Clock
from routing.occasions import by_event
from routing.occasions import scheduled as opened
from routing.round import Round
from storage import audiences, runs
from tests.live.groups import REST, begun, join, learn, people, scheduled
from tests.live.system import System, working
from workflows.run import Advanced, Opening, RunStart

BIRTHDAY = {
    "journey": "birthday",
    "entry": {
        "date": "customer.birthday",
        "every": "year",
        "offset": "-14d",
        "at": "09:00",
        "zone": "customer",
    },
    "steps": [REST],
}


async def test_joining_and_leaving_enter_by_the_events_that_say_so(live: System) -> None:
    for name, on in (("hello", "joining"), ("farewell", "leaving")):
        entry = {"audience": "loyal", "on": on, "when": 'event.audience == "loyal"'}
        await live.publish({"journey": name, "entry": entry, "steps": [REST]})

    async with working(live.settings):
        await live.send("Audience Joined", "u1", audience="loyal")
        await live.send("Audience Joined", "u2", audience="other")
        await live.send("Audience Left", "u3", audience="loyal")
        await live.routed()

    rows = await live.pool.fetch(
        """
        SELECT journey, value FROM instances i JOIN external_ids x ON x.customer = i.customer
        ORDER BY journey
        """
    )
    assert [(row["journey"], row["value"]) for row in rows] == [("farewell", "u3"), ("hello", "u1")]


async def test_whoever_a_rule_lets_in_and_out_enters_within_seconds(live: System) -> None:
    rule = {"audience": "gold", "kind": "rule", "when": 'customer.tier == "gold"'}
    for name, on in (("hello", "joining"), ("farewell", "leaving")):
        await live.publish({
            "journey": name, "entry": {"audience": "gold", "on": on}, "steps": [REST],
        })  # fmt: skip

    async with working(live.settings):
        await audiences.publish(live.pool, AUDIENCE.validate_python(rule), "x", datetime.now(UTC))
        await live.until("SELECT ready_at IS NOT NULL FROM audiences")
        await live.identify("u1", tier="gold")
        await live.until("SELECT count(*) FROM instances WHERE journey = 'hello'", within=3)
        await live.identify("u1", tier="tin")
        await live.until("SELECT count(*) FROM instances WHERE journey = 'farewell'", within=3)

    assert await live.pool.fetchval("SELECT count(*) FROM instances") == 2


async def test_a_run_asks_about_other_audiences_and_the_past(live: System) -> None:
    both, one, buyer = await people(live.pool, 3)
    await join(live.pool, "loyal", both, one, buyer)
    await join(live.pool, "vip", both)
    definition = scheduled("asks")
    definition["entry"]["when"] = 'in_audience("vip") || events("Order Completed").size() >= 1'
    await live.publish(definition)
    await live.send("Order Completed", "u2")
    await live.route()
    await begun(live, "asks")

    async with working(live.settings):
        await live.until("SELECT state = 'done' FROM runs")

    rows = await live.pool.fetch("SELECT customer FROM instances")
    refused = await live.pool.fetch("SELECT customer, reason FROM refusals")
    assert {row["customer"] for row in rows} == {both, buyer}
    assert [tuple(row) for row in refused] == [(one, "condition")]


async def test_members_who_are_in_already_can_be_let_into_a_journey_by_joining(
    live: System,
) -> None:
    entry = {"audience": "loyal", "on": "joining", "when": 'event.audience == "loyal"'}
    await live.publish({"journey": "hello", "entry": entry, "steps": [REST]})
    await join(live.pool, "loyal", *await people(live.pool, 3))
    await begun(live, "hello")

    async with working(live.settings):
        await live.until("SELECT state = 'done' FROM runs")

    assert len(await live.outcomes("hello")) == 3


async def test_a_business_event_enters_all_who_qualify_with_the_event_in_hand(
    live: System,
) -> None:
    wants, other, *_ = everybody = await people(live.pool, 4)
    await learn(live.pool, wants, wish="4711")
    await learn(live.pool, other, wish="1")
    entry = {"business_event": "Back In Stock", "when": "event.sku == customer.wish"}
    await live.publish({"journey": "restocked", "entry": entry, "steps": [REST]})
    await live.publish({
        "journey": "restocked-fans", "entry": {**entry, "audience": "fans"}, "steps": [REST],
    })  # fmt: skip
    await join(live.pool, "fans", other)
    round, event = await live.round(), everybody[0]
    for name in ("restocked", "restocked-fans"):
        plan = await round.registry.plan(live.pool, name, 1)
        async with live.pool.acquire() as connection, connection.transaction():
            made = await by_event(
                connection, event, plan, datetime.now(UTC), {"sku": "4711", "price": 5}
            )
        await round.engine.begin(made.workflow_id, RunStart(journey=name, run=made.id))

    async with working(live.settings):
        await live.until("SELECT count(*) = 2 FROM runs WHERE state = 'done'")

    [row] = await live.pool.fetch("SELECT customer, journey, entry FROM instances")
    [whole, fans] = [(await runs.listed(live.pool, name, None, 1))[0]
                     for name in ("restocked", "restocked-fans")]  # fmt: skip
    refused = await live.pool.fetch("SELECT customer, journey FROM refusals")
    assert (row["customer"], row["journey"]) == (wants, "restocked")
    assert row["entry"] == {"sku": "4711", "price": 5}
    assert (whole.reached, whole.entered, whole.refused) == (4, 1, 3)
    assert (fans.reached, fans.entered, fans.refused) == (1, 0, 1)
    assert [tuple(one) for one in refused] == [(other, "restocked-fans")]


# Days and clocks of customers, with the clock in the test's hand -------------------------


class Hand:
    """A run's activities at whatever instant the test says."""

    def __init__(self, live: System, round: Round) -> None:
        self.live, self.round = live, round

    def at(self, now: datetime) -> None:
        """It is this instant, and stands still."""
        self.round.clock = Clock(origin=datetime.now(UTC), anchor=now, scale=1e-6)

    async def opened(self, journey: str, at: datetime) -> RunStart:
        run = await opened(
            self.round, Opening(journey=journey, workflow_id=f"run/{journey}", scheduled_for=at)
        )
        assert run is not None
        return RunStart(journey=journey, run=run.id)

    async def go_on(self, start: RunStart) -> Advanced:
        """One turn of the workflow's loop; whoever enters is only registered."""
        assert start.run is not None
        broadcasts = Broadcasts(self.round, {}, cast(Mailings, None), {})
        return await Runs(self.round, broadcasts)._go_on(start.run, None)

    async def entered(self) -> set[str]:
        rows = await self.live.pool.fetch(
            "SELECT value FROM instances i JOIN external_ids x ON x.customer = i.customer"
        )
        return {row["value"] for row in rows}


@pytest.fixture
async def hand(live: System) -> Hand:
    return Hand(live, await live.round())


async def known(live: System, **attributes: dict[str, Any]) -> None:
    """Customers u0, u1, … with attributes of their own."""
    made = await people(live.pool, len(attributes))
    for number, one in enumerate(made):
        await learn(live.pool, one, **attributes[f"u{number}"])
    await join(live.pool, "loyal", *made)


async def test_each_customer_enters_when_it_is_time_where_it_lives(
    live: System, hand: Hand
) -> None:
    await known(
        live,
        u0={"time_zone": "Pacific/Kiritimati"},
        u1={"time_zone": "Europe/Paris"},
        u2={"time_zone": "America/New_York"},
        u3={"time_zone": "Mars/Base"},
        u4={},
    )
    await live.publish(local("morning", cron="0 9 * * *"))
    day = tomorrow()
    begins = datetime.combine(day, time(9), ZoneInfo("Etc/GMT-14")).astimezone(UTC)
    hand.at(begins)
    start = await hand.opened("morning", begins)
    seen = [await hand.entered()]
    for zone in ("Pacific/Kiritimati", "Europe/Paris", "UTC", "America/New_York", "Etc/GMT+12"):
        instant = datetime.combine(day, time(9), ZoneInfo(zone)).astimezone(UTC)
        hand.at(instant - timedelta(minutes=1))
        await hand.go_on(start)
        hand.at(instant)
        answer = await hand.go_on(start)
        seen.append(await hand.entered())

    assert seen == [
        set(), {"u0"}, {"u0", "u1"}, {"u0", "u1", "u3", "u4"},
        {"u0", "u1", "u2", "u3", "u4"}, {"u0", "u1", "u2", "u3", "u4"},
    ]  # fmt: skip
    assert answer.status == "over"
    [run] = await runs.listed(live.pool, "morning", None, 9)
    assert (run.state, run.entered) == ("done", 5)


async def test_who_moves_to_another_zone_during_a_run_enters_once(live: System, hand: Hand) -> None:
    await known(live, u0={"time_zone": "Europe/Paris"})
    await live.publish(local("moving", cron="0 9 * * *"))
    day = tomorrow()
    begins = datetime.combine(day, time(9), ZoneInfo("Etc/GMT-14")).astimezone(UTC)
    hand.at(begins)
    start = await hand.opened("moving", begins)

    for zone in ("Europe/Paris", "America/New_York", "Etc/GMT+12"):
        instant = datetime.combine(day, time(9), ZoneInfo(zone)).astimezone(UTC)
        hand.at(instant)
        await hand.go_on(start)
        await live.pool.execute("UPDATE instances SET ended_at = now(), outcome = 'completed'")
        [one] = await live.pool.fetch("SELECT id FROM customers")
        await learn(live.pool, one["id"], time_zone="America/New_York")

    assert await live.pool.fetchval("SELECT count(*) FROM instances") == 1


async def test_zones_that_were_missed_are_made_up_for_as_the_policy_says(
    live: System, hand: Hand
) -> None:
    zones = {"u0": "Europe/Paris", "u1": "UTC", "u2": "America/New_York"}
    await known(live, **{user: {"time_zone": zone} for user, zone in zones.items()})
    await live.publish(local("behind", cron="0 9 * * *", catch_up={"within": "90m"}))
    day = tomorrow()
    begins = datetime.combine(day, time(9), ZoneInfo("Etc/GMT-14")).astimezone(UTC)
    hand.at(begins)
    start = await hand.opened("behind", begins)
    await hand.go_on(start)

    hand.at(datetime.combine(day, time(10), UTC))  # an hour after nine there, two or more in Paris
    await hand.go_on(start)

    assert await hand.entered() == {"u1"}


async def test_a_birthday_enters_fourteen_days_before_once_a_year(live: System, hand: Hand) -> None:
    await known(
        live,
        u0={"birthday": "1990-03-14", "time_zone": "Asia/Tokyo"},
        u1={"birthday": "1988-03-15", "time_zone": "Asia/Tokyo"},
        u2={"birthday": "1992-03-14T23:30:00+09:00", "time_zone": "Asia/Tokyo"},
        u3={"birthday": "soon", "time_zone": "Asia/Tokyo"},
        u4={},
        u5={"birthday": 19900314},
    )
    await live.publish(BIRTHDAY)
    await live.pool.execute("UPDATE journeys SET enters_since = '2026-01-01'")
    begins = datetime(2027, 2, 28, 9, tzinfo=ZoneInfo("Etc/GMT-14")).astimezone(UTC)
    hand.at(begins)
    start = await hand.opened("birthday", begins)
    for hours in range(0, 27, 2):
        hand.at(begins + timedelta(hours=hours))
        answer = await hand.go_on(start)

    again = await hand.opened("birthday", begins)
    assert again == start
    assert answer.status == "over"
    assert await hand.entered() == {"u0", "u2"}
    entries = await live.pool.fetch("SELECT entry FROM instances ORDER BY entry ->> 'date'")
    assert [row["entry"]["date"] for row in entries] == ["1990-03-14", "1992-03-14"]
    assert entries[0]["entry"]["scheduled_for"] == "2027-02-28T09:00:00"


@pytest.mark.parametrize(
    ("year", "day", "born"), [(2027, "02-28", {"u0", "u1"}), (2028, "02-28", {"u0"}),
                              (2028, "02-29", {"u1"})],
)  # fmt: skip
async def test_29_february_is_kept_on_the_28th_where_there_is_none(
    live: System, hand: Hand, year: int, day: str, born: set[str]
) -> None:
    await known(live, u0={"birthday": "1992-02-28"}, u1={"birthday": "1992-02-29"})
    entry = {"date": "customer.birthday", "every": "year", "at": "09:00", "audience": "loyal"}
    await live.publish({"journey": "leap", "entry": entry, "steps": [REST]})
    begins = datetime.fromisoformat(f"{year}-{day}T09:00:00+00:00")
    hand.at(begins)

    await hand.go_on(await hand.opened("leap", begins))

    assert await hand.entered() == born


async def test_a_renewal_enters_once_before_its_own_date(live: System, hand: Hand) -> None:
    await known(
        live,
        u0={"plan": {"renewal": "2027-06-15"}},
        u1={"plan": {"renewal": "2026-06-15"}},
        u2={"plan": "none"},
    )
    entry = {"date": "customer.plan.renewal", "offset": "-14d", "at": "09:00"}
    await live.publish({"journey": "renewal", "entry": entry, "steps": [REST]})
    begins = datetime(2027, 6, 1, 9, tzinfo=UTC)
    hand.at(begins)

    await hand.go_on(await hand.opened("renewal", begins))

    assert await hand.entered() == {"u0"}


# Why ---------------------------------------------------------------------------------


async def test_why_names_the_run_that_entered_or_refused(live: System, hand: Hand) -> None:
    await known(live, u0={"tier": "gold"}, u1={"tier": "tin"})
    await live.identify("u9", tier="gold")
    await live.route()
    definition = local("gold-only", cron="0 9 * * *", zone="UTC")
    definition["entry"]["when"] = 'customer.tier == "gold"'
    await live.publish(definition)
    begins = datetime.combine(tomorrow(), time(9), UTC)
    hand.at(begins)
    start = await hand.opened("gold-only", begins)
    await hand.go_on(start)

    said = {}
    for row in await live.pool.fetch("SELECT value, customer FROM external_ids"):
        found = await why(live.pool, hand.round.registry, row["customer"], "gold-only")
        said[row["value"]] = "\n".join(line.plain for line in lines(found))

    due = f"by run {start.run} over loyal, due at {begins:%Y-%m-%d %H:%M} UTC"
    assert f"entered         {begins:%Y-%m-%d %H:%M}  {due}, version 1" in said["u0"]
    assert f'{due}: customer.tier == "gold" was false: customer.tier = "tin"' in said["u1"]
    assert "no run of it came to this customer; it is entered loyal by cron" in said["u9"]


def local(name: str, zone: str = "customer", **schedule: Any) -> dict[str, Any]:
    """A journey by each customer's own clock."""
    entry = {"audience": "loyal", "schedule": {"zone": zone, **schedule}}
    return {"journey": name, "entry": entry, "steps": [REST]}


def tomorrow() -> Any:
    return (datetime.now(UTC) + timedelta(days=2)).date()
