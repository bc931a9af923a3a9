"""Which way a group goes through a journey, and why."""

from typing import Any

import pytest

from journeys.definition import Journey
from journeys.picture import outline
from journeys.way import way_of

SEND = {"id": "news", "kind": "send", "channel": "email", "template": "news"}
SPLIT = {"id": "half", "kind": "split", "paths": {"a": 50, "b": 50}}
BRANCH = {"id": "pro", "kind": "branch", "branches": {"yes": "customer.plan == 'pro'"}}
UPDATE = {"id": "mark", "kind": "update", "set": {"told": "true"}}
WAIT = {"id": "rest", "kind": "wait", "duration": "1h"}
CALL = {"id": "ask", "kind": "call", "url": "https://example.com"}
WEEKLY = {"audience": "loyal", "schedule": {"cron": "0 9 * * 1"}}


def journey(*steps: dict[str, Any], entry: dict[str, Any] | None = None) -> Journey:
    return Journey.model_validate({"journey": "j", "entry": entry or WEEKLY, "steps": list(steps)})


@pytest.mark.parametrize(
    "entry",
    [
        WEEKLY,
        {"business_event": "Back In Stock"},
        {"date": "customer.birthday", "every": "year", "at": "09:00"},
    ],
)
def test_a_group_that_nothing_holds_up_is_a_broadcast(entry: dict[str, Any]) -> None:
    way = way_of(journey(BRANCH, SPLIT, UPDATE, SEND, entry=entry))

    assert way.is_broadcast
    assert "no step takes time" in way.why


@pytest.mark.parametrize("step", [WAIT, CALL], ids=lambda step: step["kind"])
def test_a_step_that_takes_time_is_named(step: dict[str, Any]) -> None:
    way = way_of(journey(SEND, step))

    assert not way.is_broadcast
    assert f"step {step['id']!r} ({step['kind']}) takes time" in way.why


def test_who_enters_alone_has_a_workflow() -> None:
    way = way_of(journey(SEND, entry={"event": "Signed Up"}))

    assert not way.is_broadcast
    assert "one by one" in way.why


def test_the_outline_says_it_where_a_group_enters() -> None:
    [said] = [line for line in outline(journey(SEND)).splitlines() if "group" in line]

    assert said == f"  group  {way_of(journey(SEND)).why}"
    assert "  group" not in outline(journey(SEND, entry={"event": "Signed Up"}))
