"""The `wait` step: its forms, its instants, its zones."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from expressions import Facts
from journeys.calls import Call, Outcome
from journeys.steps.wait import Wait

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NINE = {"next": {"time": "09:00"}}


@dataclass
class FakeRuntime:
    """A runtime at NOW that answers every question alike."""

    answer: Outcome = field(default_factory=Outcome)
    now: datetime = NOW
    asked: list[Call] = field(default_factory=list)
    slept_until: datetime | None = None

    def chance(self, salt: str) -> float:
        return 0.0

    async def sleep_until(self, instant: datetime) -> None:
        self.slept_until = instant

    async def wait_for(self, until: datetime) -> str | None:
        return None

    async def ask(self, call: Call) -> Outcome:
        self.asked.append(call)
        return self.answer


def wait(**form: Any) -> Wait:
    """A wait of that form."""
    return Wait.model_validate({"id": "pause", **form})


def facts(**customer: Any) -> Facts:
    """A customer at NOW."""
    return Facts(now=NOW, customer=customer)


def test_a_duration_asks_nothing() -> None:
    runtime = FakeRuntime()

    exit = asyncio.run(wait(duration="1d12h").run(runtime))

    assert (exit, runtime.asked) == ("waited", [])
    assert runtime.slept_until == NOW + timedelta(hours=36)


def test_an_instant_asks_nothing() -> None:
    runtime = FakeRuntime()

    exit = asyncio.run(wait(until="2026-12-24T09:00:00+01:00").run(runtime))

    assert (exit, runtime.asked) == ("waited", [])
    assert runtime.slept_until == datetime(2026, 12, 24, 8, tzinfo=UTC)


def test_a_local_time_sleeps_until_the_instant_decided() -> None:
    runtime = FakeRuntime(Outcome(until=NOW + timedelta(hours=3)))

    exit = asyncio.run(wait(**NINE).run(runtime))

    assert (exit, runtime.asked) == ("waited", [Call.DECIDE])
    assert runtime.slept_until == NOW + timedelta(hours=3)


def test_no_date_leaves_at_once() -> None:
    runtime = FakeRuntime(Outcome(exit="no_date"))

    exit = asyncio.run(wait(date={"attribute": "birthday"}).run(runtime))

    assert (exit, runtime.slept_until) == ("no_date", None)


@pytest.mark.parametrize(
    ("customer", "zone", "used", "whose", "until"),
    [
        ({"time_zone": "Asia/Kolkata"}, "Europe/Berlin", "Asia/Kolkata", "customer", "2T03:30"),
        ({"time_zone": "Mars/Base"}, "Europe/Berlin", "Europe/Berlin", "step", "2T07:00"),
        ({}, "Europe/Berlin", "Europe/Berlin", "step", "2T07:00"),
        ({}, None, "UTC", "default", "2T09:00"),
        ({"time_zone": 5.0}, None, "UTC", "default", "2T09:00"),
    ],
)
def test_the_customers_zone_counts_then_the_steps_then_utc(
    customer: dict[str, Any], zone: str | None, used: str, whose: str, until: str
) -> None:
    decision = wait(**NINE, zone=zone).decide(facts(**customer))

    assert decision.until == datetime.fromisoformat(f"2026-06-0{until}").replace(tzinfo=UTC)
    assert decision.why == {"zone": used, "zone_of": whose}


@pytest.mark.parametrize("value", ["soon", None, 7.0, ["2026-06-01"]])
def test_a_date_that_is_none_takes_no_date_and_says_why(value: object) -> None:
    decision = wait(date={"attribute": "renewal"}).decide(facts(renewal=value))

    assert (decision.exit, decision.until) == ("no_date", None)
    assert decision.why is not None
    assert "customer.renewal" in decision.why["reason"]


def test_a_missing_date_takes_no_date() -> None:
    decision = wait(date={"attribute": "renewal"}).decide(facts())

    assert decision.exit == "no_date"


def test_a_date_may_come_from_an_expression() -> None:
    step = wait(date={"attribute": "entry.arrival", "before": "14d", "at": "09:00"})
    seen = Facts(now=NOW, customer={"time_zone": "Europe/London"}, entry={"arrival": "2026-07-20"})

    decision = step.decide(seen)

    assert decision.until == datetime(2026, 7, 6, 8, tzinfo=UTC)


def test_a_window_lets_pass_at_once_or_waits_until_it_opens() -> None:
    open_now = wait(window={"from": "09:00", "to": "17:00"}).decide(facts())
    closed = wait(window={"from": "22:00", "to": "06:00", "weekdays": ["fri"]}).decide(facts())

    assert open_now.until == NOW
    assert closed.until == datetime(2026, 6, 5, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "form",
    [
        {}, {"duration": "1d", "next": {}}, {"duration": 5}, {"until": 1_800_000_000},
        {"until": "2026-12-24"}, {"next": {"time": "25:00"}}, {"next": {"weekdays": ["monday"]}},
        {"duration": "1d", "zone": "Europe/London"}, {"next": {}, "zone": "Mars/Base"},
        {"date": {"attribute": "x", "before": "1d", "after": "1d"}},
        {"date": {"attribute": "x", "before": "12h", "at": "09:00"}}, {"duration": "9999999w"},
    ],
)  # fmt: skip
def test_other_forms_are_refused(form: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wait(**form)


def test_a_wait_comes_back_from_json_as_it_was() -> None:
    step = wait(window={"from": "22:00", "to": "06:00", "weekdays": ["fri"]}, zone="Asia/Tokyo")

    assert Wait.model_validate(step.model_dump(mode="json", by_alias=True)) == step
