"""What each kind of step does in a simulation."""

from datetime import timedelta

import pytest

from expressions import ExpressionError
from journeys.chance import chance
from journeys.simulation.assumptions import Assumptions
from journeys.simulation.population import NAMESPACE
from tests.pure.simulated import at, event, identify, plan, simulate, walked

MAIL = {"id": "mail", "kind": "send", "channel": "email", "template": "hello"}
CALL = {"id": "ask", "kind": "call", "url": "https://example.com/{{ customer.plan }}"}


def test_wait_passes_its_duration() -> None:
    journey = plan({"id": "pause", "kind": "wait", "duration": "45m"})

    simulation = simulate(journey, events=[event("Start")])

    [visit] = simulation.passages[0].visits
    assert (visit.at, visit.left_at, visit.exit) == (at(0), at(45), "waited")


def test_wait_until_local_time_uses_the_customers_zone() -> None:
    journey = plan({"id": "pause", "kind": "wait", "next": {"time": "09:00"}})
    zoned = event("Start", context={"timezone": "Europe/Berlin"})

    simulation = simulate(journey, events=[zoned])

    assert simulation.passages[0].visits[0].left_at == at(20 * 60)  # 08:00 UTC the day after


def test_wait_for_takes_the_exit_of_the_event_that_comes_first() -> None:
    journey = plan({
        "id": "ear",
        "kind": "wait_for",
        "timeout": "1h",
        "events": {
            "paid": {"event": "Paid", "when": "event.total > 10.0"},
            "left": {"event": "Left"},
        },
    })
    events = [event("Start"), event("Paid", 5, total=3.0), event("Left", 7), event("Paid", 9)]

    simulation = simulate(journey, events=events)

    [visit] = simulation.passages[0].visits
    assert (visit.exit, visit.left_at) == ("left", at(7))
    assert ("one", "wait_condition", "ear: event.total > 10.0") in simulation.refused.counts


def test_wait_for_since_entry_looks_back_to_the_entry() -> None:
    journey = plan(
        {"id": "pause", "kind": "wait", "duration": "10m"},
        {
            "id": "ear",
            "kind": "wait_for",
            "timeout": "1h",
            "events": {"new": {"event": "New"}, "old": {"event": "Old", "since": "entry"}},
        },
    )
    events = [event("Start"), event("New", 4), event("Old", 5)]

    simulation = simulate(journey, events=events)

    visit = simulation.passages[0].visits[1]
    assert (visit.exit, visit.left_at) == ("old", at(10))


def test_receipt_by_message_id_wakes_the_wait_of_that_message() -> None:
    journey = plan(
        MAIL,
        {
            "id": "ear",
            "kind": "wait_for",
            "timeout": "1h",
            "events": {"read": {"event": "Opened", "of": "mail"}},
        },
    )
    start = [identify(email="a@x.example"), event("Start", message_id="s")]
    sent = str(simulate(journey, events=start).ledger.messages[0].id)
    receipts = [event("Opened", 1), event("Opened", 2)]
    receipts[0].properties["message_id"] = "another"
    receipts[1].properties["message_id"] = sent
    events = [*start, *receipts]

    simulation = simulate(journey, events=events)

    assert simulation.passages[0].visits[1].left_at == at(2)


def test_receipt_by_journey_and_step_means_the_latest_such_message() -> None:
    journey = plan(
        MAIL,
        {
            "id": "ear",
            "kind": "wait_for",
            "timeout": "1h",
            "events": {"read": {"event": "Opened", "of": "mail"}},
        },
    )
    events = [
        identify(email="a@x.example"),
        event("Start"),
        event("Opened", 1, journey="one", step="other"),
        event("Opened", 2, journey="one", step="mail"),
    ]

    simulation = simulate(journey, events=events)

    assert walked(simulation.passages[0]) == [("mail", "sent"), ("ear", "read")]
    assert simulation.passages[0].visits[1].left_at == at(2)


def test_branch_sees_attributes_history_and_outputs() -> None:
    journey = plan(
        {"id": "mark", "kind": "update", "set": {"score": "entry.points + 1.0"}},
        {
            "id": "which",
            "kind": "branch",
            "branches": {
                "yes": "customer.score == 3.0 && steps.mark.score == 3.0"
                ' && events("Seen").size() == 2'
            },
        },
    )
    events = [event("Seen", 0), event("Seen", 1), event("Start", 2, points=2), event("Seen", 3)]

    simulation = simulate(journey, events=events)

    assert walked(simulation.passages[0]) == [("mark", "updated"), ("which", "yes")]


def test_update_wins_over_what_was_true_before_it_and_loses_to_later_traits() -> None:
    journey = plan({"id": "mark", "kind": "update", "set": {"plan": "'gold'"}})
    events = [event("Start", 5), identify(6, plan="silver"), identify(7, user="bob")]

    simulation = simulate(journey, events=events)

    [ada] = [one for one in simulation.population if one.values("user_id") == ["ada"]]
    assert ada.attributes["plan"] == "silver"


def test_split_is_the_same_in_every_run_and_spreads_as_asked() -> None:
    journey = plan({"id": "half", "kind": "split", "paths": {"a": 25, "b": 75}})
    events = [event("Start", number, user=f"u{number}") for number in range(2000)]

    first, second = simulate(journey, events=events), simulate(journey, events=events)

    assert [walked(p) for p in first.passages] == [walked(p) for p in second.passages]
    took_a = sum(walked(p) == [("half", "a")] for p in first.passages)
    assert 400 < took_a < 600


def test_chance_depends_on_customer_journey_and_salt() -> None:
    drawn = {chance(NAMESPACE, journey, salt) for journey in ("a", "b") for salt in ("a", "b")}

    assert len(drawn) == 4
    assert all(0 <= number < 1 for number in drawn)
    assert chance(NAMESPACE, "a", "b") == chance(NAMESPACE, "a", "b")


@pytest.mark.parametrize(
    ("traits", "state", "reason"),
    [
        ({"email": "a@x.example", "name": "Ada"}, "accepted", None),
        ({"email": " ", "name": "Ada"}, "skipped", "no_address"),
        ({"email": "a@x.example"}, "skipped", "missing_variable"),
    ],
)
def test_send_needs_an_address_and_every_variable(
    traits: dict[str, str], state: str, reason: str | None
) -> None:
    journey = plan(MAIL, parts={"text": "Hello {{ customer.name }}"})

    simulation = simulate(journey, events=[identify(**traits), event("Start", 3)])

    [message] = simulation.ledger.messages
    assert (message.state, message.reason, message.at) == (state, reason, at(3))
    exit = "sent" if reason is None else "not_sent"
    assert walked(simulation.passages[0]) == [("mail", exit)]


@pytest.mark.parametrize(
    ("channel", "trait"),
    [("sms", "phone"), ("whatsapp", "phone"), ("push", "device_token"), ("webhook", None)],
)
def test_channels_have_addresses_of_their_own(channel: str, trait: str | None) -> None:
    journey = plan({**MAIL, "channel": channel})
    known = identify(1, **({trait: "there"} if trait else {}))

    simulation = simulate(journey, events=[event("Start", 0), known, event("Start", 2)])

    states = [message.state for message in simulation.ledger.messages]
    assert states == (["skipped", "accepted"] if trait else ["accepted", "accepted"])


def test_call_answers_what_is_assumed_and_fails_without() -> None:
    which = {"id": "which", "kind": "branch", "branches": {"ok": "steps.ask.body.ok"}}
    journey = plan(CALL, which)
    rules = Assumptions.of({
        "ask": [
            {"when": "customer.plan == 'pro'", "status": 200, "body": {"ok": True}},
            {"when": "customer.plan == 'old'", "status": 404},
        ]
    })
    events = [
        one
        for user in ("pro", "old", "new")
        for one in (identify(0, user, plan=user), event("Start", 1, user))
    ]

    simulation = simulate(journey, events=events, assumptions=rules)

    assert [walked(passage)[0][1] for passage in simulation.passages] == [
        "answered",
        "failed",
        "failed",
    ]
    assert walked(simulation.passages[0])[1] == ("which", "ok")


def test_call_fails_when_its_text_needs_what_is_missing() -> None:
    rules = Assumptions.of({"ask": {"status": 200}})

    simulation = simulate(plan(CALL), events=[event("Start")], assumptions=rules)

    [visit] = simulation.passages[0].visits
    assert visit.exit == "failed"
    assert "customer.plan" in str(visit.reason)


def test_assumption_that_does_not_compile_is_refused() -> None:
    with pytest.raises(ExpressionError):
        Assumptions.of({"ask": {"when": "customer.plan ==", "status": 200}})


def test_emit_enters_another_journey_at_the_same_instant() -> None:
    one = plan({"id": "tell", "kind": "emit", "event": "Told", "properties": {"n": "entry.n"}})
    two = plan(
        {"id": "done", "kind": "end"},
        journey="two",
        entry={"event": "Told", "when": "event.n > 1.0"},
    )

    simulation = simulate(one, two, events=[event("Start", 0, n=1), event("Start", 9, n=2)])

    assert [(p.plan.name, p.inside.entered_at) for p in simulation.passages] == [
        ("one", at(0)),
        ("one", at(9)),
        ("two", at(9)),
    ]
    assert simulation.passages[2].entered_by.depth == 1


def test_chain_of_emits_stops_at_sixteen_and_says_so() -> None:
    journey = plan({"id": "tell", "kind": "emit", "event": "Start"})

    simulation = simulate(journey, events=[event("Start")])

    assert len(simulation.passages) == 17
    last = simulation.passages[-1].visits[0]
    assert last.exit == "failed"
    assert "16" in str(last.reason)


def test_circle_without_a_wait_is_cut() -> None:
    journey = plan({"id": "a", "kind": "branch", "branches": {"x": "true"}, "then": "a"})

    simulation = simulate(journey, events=[event("Start")])

    assert simulation.passages[0].outcome == "failed"


def test_long_circle_with_a_wait_ends_the_run_after_years() -> None:
    journey = plan({"id": "a", "kind": "wait", "duration": "30d", "then": "a"})

    simulation = simulate(journey, events=[event("Start")])

    assert simulation.passages[0].is_open
    assert simulation.now - at(0) > timedelta(days=3600)
