"""What events do to instances in a simulation: entries, exits, deadlines, goals, merges."""

from datetime import timedelta

from tests.pure.simulated import at, event, identify, plan, simulate, walked

PAUSE = {"id": "pause", "kind": "wait", "duration": "30d"}
EAR = {"id": "ear", "kind": "wait_for", "timeout": "1h", "events": {"came": {"event": "Came"}}}


def test_exit_rule_ends_an_instance_in_the_middle_of_a_wait() -> None:
    journey = plan(PAUSE, exits=[{"event": "Bye", "when": "event.n == entry.n"}])
    events = [event("Start", 0, n=1), event("Bye", 5, n=2), event("Bye", 6, n=1)]

    simulation = simulate(journey, events=events)

    [passage] = simulation.passages
    assert (passage.outcome, passage.inside.ended_at) == ("exited", at(6))
    assert walked(passage) == [("pause", "exited")]
    assert simulation.refused.counts["one", "exit_condition", "event.n == entry.n"].events == 1


def test_event_at_the_deadline_wins_over_the_timeout() -> None:
    simulation = simulate(plan(EAR), events=[event("Start"), event("Came", 60)])

    assert walked(simulation.passages[0]) == [("ear", "came")]


def test_event_after_the_deadline_loses() -> None:
    simulation = simulate(plan(EAR), events=[event("Start"), event("Came", 60.01)])

    [visit] = simulation.passages[0].visits
    assert (visit.exit, visit.left_at) == ("timed_out", at(60))


def test_event_emitted_at_the_deadline_wins_too() -> None:
    sender = plan(
        {"id": "pause", "kind": "wait", "duration": "50m"},
        {"id": "tell", "kind": "emit", "event": "Came"},
        journey="two",
        entry={"event": "Other"},
    )

    simulation = simulate(plan(EAR), sender, events=[event("Start"), event("Other", 10)])

    assert walked(simulation.passages[0]) == [("ear", "came")]


def test_exit_event_at_the_instant_a_wait_ends_comes_first() -> None:
    mail = {"id": "mail", "kind": "send", "channel": "webhook", "template": "x"}
    journey = plan(
        {"id": "pause", "kind": "wait", "duration": "10m"}, mail, exits=[{"event": "Bye"}]
    )

    simulation = simulate(journey, events=[event("Start"), event("Bye", 10)])

    assert not simulation.ledger.messages


def test_event_that_wakes_does_not_enter_the_same_journey() -> None:
    journey = plan({**EAR, "events": {"again": {"event": "Start"}}})

    simulation = simulate(journey, events=[event("Start", 0), event("Start", 5)])

    assert [walked(one) for one in simulation.passages] == [[("ear", "again")]]
    assert simulation.refused.counts["one", "was_inside", ""].events == 1


def test_reentry_waits_for_the_pause_that_it_asks_for() -> None:
    journey = plan(
        {"id": "done", "kind": "end"}, entry={"event": "Start", "reentry": {"after": "1h"}}
    )
    events = [event("Start", minutes) for minutes in (0, 59, 60)]

    simulation = simulate(journey, events=events)

    assert [one.inside.entered_at for one in simulation.passages] == [at(0), at(60)]
    assert ("one", "reentry_too_soon", "") in simulation.refused.counts


def test_keyed_instances_stand_side_by_side() -> None:
    journey = plan(PAUSE, entry={"event": "Start", "key": "event.cart", "reentry": "never"})
    events = [
        event("Start", 0, cart="a"),
        event("Start", 1, cart="b"),
        event("Start", 2, cart="a"),
        event("Start", 3),
    ]

    simulation = simulate(journey, events=events)

    assert [one.inside.key for one in simulation.passages] == ["a", "b"]
    reasons = {reason for _, reason, _ in simulation.refused.counts}
    assert reasons == {"inside", "key_unknown"}


def test_the_same_message_id_counts_once() -> None:
    twice = event("Start", 0, message_id="once")
    done = {"id": "done", "kind": "end"}

    simulation = simulate(plan(done), events=[twice, twice])

    assert (len(simulation.passages), simulation.duplicates) == (1, 1)


def test_goal_is_met_inside_and_after() -> None:
    journey = plan({"id": "done", "kind": "end"}, goal={"event": "Paid", "within": "1h"})
    events = [
        event("Start", 0),
        event("Paid", 60),
        event("Paid", 61),
        event("Start", 100),
        event("Paid", 161),
    ]

    simulation = simulate(journey, events=events)

    assert [one.inside.goal_at for one in simulation.passages] == [at(60), None]


def test_late_identify_merges_and_the_older_instance_stays() -> None:
    events = [
        event("Start", 0, user=None, anonymous="b1"),
        event("Start", 5, user="ada"),
        identify(6, anonymous="b1"),
    ]

    simulation = simulate(plan(EAR), events=[*events, event("Came", 7)])

    older, younger = simulation.passages
    assert (older.outcome, walked(older)) == ("completed", [("ear", "came")])
    assert (younger.outcome, younger.inside.ended_at) == ("merged", at(6))
    assert len(simulation.population) == 1


def test_merge_brings_history_and_keeps_the_later_attribute() -> None:
    journey = plan({
        "id": "which",
        "kind": "branch",
        "branches": {"yes": 'events("Seen").size() == 2 && customer.plan == "new"'},
    })
    guest = {"user": None, "anonymous": "b"}
    events = [
        identify(0, plan="old"),
        event("Seen", 1),
        identify(2, **guest, plan="new"),
        event("Seen", 3, **guest),
        identify(4, anonymous="b"),
        event("Start", 5),
    ]

    simulation = simulate(journey, events=events)

    assert walked(simulation.passages[0]) == [("which", "yes")]


def test_alias_joins_two_user_ids() -> None:
    alias = event("", 1, user="new", kind="alias", previous_id="old")

    simulation = simulate(
        plan(EAR), events=[event("Start", 0, user="old"), alias, event("Came", 2, user="new")]
    )

    assert walked(simulation.passages[0]) == [("ear", "came")]


def test_browser_that_changes_hands_merges_nobody() -> None:
    events = [
        event("Seen", 0, user="ada", anonymous="b"),
        event("Seen", 1, user="bob", anonymous="b"),
        event("Start", 2, user=None, anonymous="b"),
    ]

    simulation = simulate(plan(PAUSE), events=events)

    owner = simulation.population[simulation.passages[0].inside.customer]
    assert (len(simulation.population), owner.values("user_id")) == (2, ["bob"])


def test_event_that_is_too_late_makes_history_only() -> None:
    journey = plan({
        "id": "which",
        "kind": "branch",
        "branches": {"seen": 'events("Start").size() == 2'},
    })
    events = [event("Other", 60 * 30, user="bob"), event("Start", 0), event("Start", 60 * 31)]

    simulation = simulate(journey, events=events, late_after=timedelta(days=1))

    assert [walked(one) for one in simulation.passages] == [[("which", "seen")]]
    assert simulation.refused.counts["one", "late", ""].events == 1


def test_clock_stops_where_it_is_told_to() -> None:
    journey = plan({"id": "pause", "kind": "wait", "duration": "10m"}, PAUSE | {"id": "long"})

    simulation = simulate(journey, events=[event("Start")], until=10)

    assert walked(simulation.passages[0]) == [("pause", "waited"), ("long", None)]


def test_two_runs_are_the_same() -> None:
    events = [event("Start", number, user=f"u{number % 7}") for number in range(50)]

    runs = [simulate(plan(EAR), events=events) for _ in range(2)]

    said = [
        [(one.inside.id, one.inside.customer, walked(one)) for one in run.passages] for run in runs
    ]
    assert said[0] == said[1]
