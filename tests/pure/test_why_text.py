"""What `parcours why` says, in words."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cli.reports.reasons import moved, of_membership, of_refusal
from cli.why import lines
from journeys.why import NotEntered, Passage, Refused, Stands, Visited, Why, WhyJourney

AT = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)
ID = UUID(int=1)


def told(**fields: Any) -> list[str]:
    journey = WhyJourney(
        journey="abandoned-cart", state="open", entry_event="Checkout Started",
        **{"entered": False, **fields},
    )  # fmt: skip
    return [line.plain for line in lines(Why(customer=ID, journeys=(journey,)))]


def refused(reason: str = "condition", **why: Any) -> Refused:
    return Refused(at=AT, event=ID, name="Checkout Started", reason=reason, why=why)


def visited(**why: Any) -> Visited:
    return Visited(visit=1, step="a", at=AT, left_at=AT, exit="x", why=why)


def test_a_condition_that_was_false_is_told_with_its_values() -> None:
    no = refused(condition="event.total > 20.0", holds=False, values={"event.total": 12.5})

    assert told(not_entered="refused", refusals=(no,)) == [
        "abandoned-cart  not entered     2026-11-20 10:02  "
        "event.total > 20.0 was false: event.total = 12.5"
    ]


@pytest.mark.parametrize(("reason", "said"), [
    ("never_seen", "no event named 'Checkout Started' of this customer was seen"),
    ("not_asked", "it is entered through the API only, and nobody asked for this customer"),
    ("before_published",
     "the last 'Checkout Started', at 2026-11-20 10:02, was before this journey was published"),
])  # fmt: skip
def test_who_did_not_enter_is_told_why(reason: NotEntered, said: str) -> None:
    (line,) = told(not_entered=reason, last_seen=AT)

    assert line.endswith(said)


def test_an_unknown_condition_names_what_is_missing() -> None:
    why = {"condition": "event.total > 20.0", "holds": None, "values": {"event.total": None},
           "reason": "event.total is missing"}  # fmt: skip
    one = Refused(at=AT, event=ID, name="Checkout Started", reason="condition", why=why)

    assert of_refusal(one) == "event.total > 20.0 is unknown: event.total is missing"


def test_a_wait_that_was_not_closed_names_step_and_event() -> None:
    one = refused("wait_condition", step="reaction", event="Checkout Started",
                  condition="event.x", holds=False, values={})  # fmt: skip

    assert of_refusal(one) == "Checkout Started: at reaction, event.x was false"


def test_a_branch_names_every_condition_it_tried() -> None:
    tried = [
        {
            "branch": "vip",
            "condition": "customer.vip",
            "holds": False,
            "values": {"customer.vip": False},
        },
        {"branch": "new", "condition": "customer.new", "holds": True, "values": {}},
    ]

    assert moved(visited(tried=tried)) == (
        "vip: customer.vip was false: customer.vip = false; new: customer.new was true"
    )


def test_a_wait_names_its_event_or_that_nothing_came() -> None:
    assert moved(visited(event="Message Clicked")) == "Message Clicked came"
    assert moved(visited(timeout="2026-11-20T10:02:00Z")) == "nothing came until 2026-11-20 10:02"


def test_a_held_instance_says_so() -> None:
    passage = Passage(id=ID, version=1, entered_at=AT, entry_event="X", state="inside",
                      stands=Stands(step="reminder", is_held=True))  # fmt: skip

    assert told(entered=True, passages=(passage,))[-1].endswith(
        "at reminder, held back: the journey is paused"
    )


def test_many_refusals_are_cut_short() -> None:
    said = told(not_entered="refused", refusals=(refused("closed"),) * 25)

    assert len(said) == 11
    assert said[-1].endswith("… and 15 more times; --format json has them all")


def test_no_journey_at_all() -> None:
    assert [line.plain for line in lines(Why(customer=ID))] == [
        "no journey is published; `parcours publish FILE` publishes one"
    ]


@pytest.mark.parametrize(("why", "said"), [
    ({"import": "2f6a", "file": "crm.csv", "mode": "add"}, "crm.csv (import 2f6a)"),
    ({"import": "2f6a", "file": "crm.csv", "mode": "remove"}, "removed by crm.csv (import 2f6a)"),
    ({"import": "2f6a", "mode": "replace"}, "the list was replaced by a file (import 2f6a)"),
    ({"import": "2f6a"}, "a file (import 2f6a)"),
    ({"by": "hand", "key": "shop"}, "by hand, with the key 'shop'"),
    ({"by": "hand"}, "by hand"),
    ({"merged_from": "7"}, "was merged with customer 7"),
    ({"found": "version 2"}, "was so when version 2 was published"),
    ({"deleted": True}, "the audience was deleted"),
    ({"condition": "customer.a", "holds": True}, "customer.a was true"),
    ({}, ""),
])  # fmt: skip
def test_why_somebody_joined_or_left_is_told(why: dict[str, Any], said: str) -> None:
    assert of_membership(why) == said
