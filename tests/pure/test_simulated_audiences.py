"""Audiences in a simulation: judged by the production rules, at the instants that count."""

from pathlib import Path
from typing import Any

import pytest

from audiences.catalog import Catalog
from audiences.definition import AUDIENCE
from audiences.simulated import SimulatedAudiences
from cli.errors import CommandError
from cli.simulated_audiences import groups_of
from journeys.plan import Plan
from journeys.simulate import Simulation
from tests.pure.simulated import at, event, identify, plan, simulate, walked

DAY = 24 * 60
MAIL = {"id": "mail", "kind": "send", "channel": "webhook", "template": "x"}
PAUSE = {"id": "pause", "kind": "wait", "duration": "1h"}
LOYAL = {"when": 'events("Order").size() >= 2'}
QUIET = {"when": 'events("Order").size() >= 1 && events("Order", days(30)).size() == 0'}
ALL = {"when": "true"}


def groups(lists: dict[str, set[str]] | None = None, **given: dict[str, Any]) -> SimulatedAudiences:
    found = {
        name: AUDIENCE.validate_python({"audience": name, "kind": "rule", **one})
        for name, one in given.items()
    }
    return SimulatedAudiences(Catalog(found), lists or {})


def entered(simulation: Simulation) -> list[tuple[str, float]]:
    people = simulation.population
    return [
        (
            people[one.inside.customer].values("user_id")[0],
            (one.inside.entered_at - at(0)).total_seconds() / 60,
        )
        for one in simulation.passages
    ]


def by(**entry: Any) -> Plan:
    return plan(PAUSE, entry=entry)


def test_a_branch_knows_who_is_in_an_audience() -> None:
    branch = {"id": "which", "kind": "branch", "branches": {"loyal": 'in_audience("loyal")'},
              "then": {"loyal": "end", "otherwise": "end"}}  # fmt: skip
    events = [event("Order"), event("Start", 1), event("Order", 2), event("Start", 3)]

    simulation = simulate(plan(branch), events=events, groups=groups(loyal=LOYAL))

    assert [walked(one) for one in simulation.passages] == [
        [("which", "otherwise")], [("which", "loyal")],
    ]  # fmt: skip


def test_joining_by_an_event_enters_after_what_the_event_does_itself() -> None:
    journey = by(audience="loyal", on="joining")

    events = [event("Order"), event("Order", 5), event("Order", 6, "bob")]
    simulation = simulate(journey, events=events, groups=groups(loyal=LOYAL))

    assert entered(simulation) == [("ada", 5)]
    assert (simulation.crowd.joined["loyal"], simulation.crowd.left["loyal"]) == (1, 0)


def test_time_alone_has_people_join_and_leave_at_the_very_instant() -> None:
    quiet = groups(quiet=QUIET)
    events = [event("Order"), event("Order", 40 * DAY), event("Order", 1, "bob")]
    events.sort(key=lambda one: one.occurred_at)

    joining = simulate(by(audience="quiet", on="joining"), events=events, until=99 * DAY,
                       groups=quiet)  # fmt: skip
    leaving = simulate(by(audience="quiet", on="leaving"), events=events, until=60 * DAY,
                       groups=quiet)  # fmt: skip

    assert entered(joining) == [("ada", 30 * DAY), ("bob", 30 * DAY + 1), ("ada", 70 * DAY)]
    assert entered(leaving) == [("ada", 40 * DAY)]


def test_an_attribute_that_a_journey_sets_counts() -> None:
    update = {"id": "mark", "kind": "update", "set": {"tier": '"gold"'}}
    gold = groups(gold={"when": 'customer.tier == "gold"'})

    simulation = simulate(plan(update), by_gold(), events=[event("Start", 1)], groups=gold)

    assert [one.plan.name for one in simulation.passages] == ["one", "two"]


def by_gold() -> Plan:
    return plan(PAUSE, journey="two", entry={"audience": "gold", "on": "joining"})


def test_compositions_follow_what_they_are_made_of_and_have_parts() -> None:
    given = groups(
        loyal=LOYAL,
        pilot={"kind": "composition", "union": ["loyal"], "parts": {"a": 50, "b": 50}},
    )
    events = [event("Order", n, f"u{n % 20}") for n in range(40)]

    simulation = simulate(by(audience="pilot/a", on="joining"), events=events, groups=given)

    joined = simulation.crowd.joined
    assert joined["pilot"] == 20 == joined["pilot/a"] + joined["pilot/b"]
    assert len(simulation.passages) == joined["pilot/a"]


def test_a_ranked_composition_is_found_every_hour() -> None:
    top = {"kind": "composition", "union": ["all"], "limit": 1,
           "order_by": {"value": 'events("Order").size()'}}  # fmt: skip
    events = [event("Order", 1), event("Order", 2, "bob"), event("Order", 3, "bob"),
              event("Order", 70), event("Order", 71)]  # fmt: skip

    simulation = simulate(by(audience="top", on="joining"), events=events, until=180,
                          groups=groups(all=ALL, top=top))  # fmt: skip

    assert entered(simulation) == [("bob", 60), ("ada", 120)]
    assert simulation.crowd.left["top"] == 1


def test_one_member_of_each_kind_is_kept_and_the_unknown_comes_last() -> None:
    top = {"kind": "composition", "union": ["all"], "distinct_by": "customer.home", "limit": 2,
           "order_by": {"value": "customer.worth"}}  # fmt: skip
    events = [identify(0, "ada", home="x", worth=3), identify(1, "bob", home="x", worth=9),
              identify(2, "cy", home="y"), identify(3, "di", worth=1)]  # fmt: skip

    simulation = simulate(by(audience="top", on="joining"), events=events, until=90,
                          groups=groups(all=ALL, top=top))  # fmt: skip

    assert sorted(user for user, _ in entered(simulation)) == ["bob", "di"]


def test_who_is_on_a_list_that_was_given_is_on_it_from_the_beginning() -> None:
    both = {"kind": "composition", "intersection": ["news", "all"]}
    given = groups({"news": {"ada"}}, news={"kind": "list"}, both=both, all=ALL)
    journey = plan(PAUSE, entry={"event": "Start", "when": 'in_audience("news")'})

    events = [event("Start"), event("Start", 1, "bob")]
    simulation = simulate(journey, events=events, groups=given)

    assert entered(simulation) == [("ada", 0)]
    assert (simulation.crowd.joined["news"], simulation.crowd.joined["both"]) == (0, 1)
    assert simulation.unknown == []


def test_a_list_that_was_not_given_is_unknown_and_said_to_be() -> None:
    given = groups(news={"kind": "list"}, loyal=LOYAL,
                   some={"kind": "composition", "union": ["loyal", "news"]})  # fmt: skip
    branches = {"in": 'in_audience("some")', "out": '!in_audience("some")'}
    branch = {"id": "which", "kind": "branch", "branches": branches,
              "then": {"in": "end", "out": "end", "otherwise": "end"}}  # fmt: skip
    events = [event("Start"), event("Order", 1), event("Order", 2), event("Start", 3)]

    simulation = simulate(plan(branch), events=events, groups=given)

    assert [walked(one) for one in simulation.passages] == [
        [("which", "otherwise")], [("which", "in")],
    ]  # fmt: skip
    first, second = simulation.unknown
    assert first.startswith("audience 'news' is a list, and who is on it was not given")
    assert second == "audience 'some' looks at news, of which nothing is known"


def test_what_was_not_given_is_named() -> None:
    journey = plan(PAUSE, entry={"event": "Start", "when": 'in_audience("vip")'})
    other = plan(PAUSE, journey="two", entry={"audience": "loyal", "on": "joining"})
    third = plan(PAUSE, journey="three", entry={"business_event": "Sale"})

    simulation = simulate(journey, other, third, events=[event("Start")])

    assert not simulation.passages
    assert [one.partition(":")[0] for one in simulation.unknown] == [
        "journey 'one' asks for audience 'vip', which was not given",
        "journey 'two' is entered by audience 'loyal', which was not given",
        "journey 'three' is entered by the business event 'Sale'; a history of customers has none, "
        "so nobody enters",
    ]


def test_merged_customers_are_in_what_both_were_in() -> None:
    journey = by(audience="loyal", on="joining")
    events = [event("Order", 0, None, anonymous="x"), event("Order", 1, "ada"),
              event("Order", 2, "ada", anonymous="x")]  # fmt: skip

    simulation = simulate(journey, events=events, groups=groups(loyal=LOYAL))

    assert entered(simulation) == [("ada", 2)]


# Runs ------------------------------------------------------------------------------


def test_a_schedule_has_members_enter_who_are_in_at_that_instant() -> None:
    journey = by(audience="loyal", schedule={"cron": "0 9 * * *"}, reentry="never")
    events = [event("Order"), event("Order", 1), event("Order", 2, "bob"),
              event("Order", 2 * DAY, "bob")]  # fmt: skip

    simulation = simulate(journey, events=events, until=3 * DAY, groups=groups(loyal=LOYAL))

    nine = DAY - 3 * 60  # the history begins at noon
    assert entered(simulation) == [("ada", nine), ("bob", 2 * DAY + nine)]
    assert simulation.passages[0].inside.entry == {
        "scheduled_for": "2026-03-03T09:00:00+00:00", "audience": "loyal",
    }  # fmt: skip
    assert simulation.runs.begun == 3
    assert simulation.refused.counts["one", "reentry_never", ""].events == 2


def test_only_new_members_enter_after_the_first_run() -> None:
    schedule = {"cron": "0 9 * * *", "only": "new"}
    events = [event("Order"), event("Order", 1), event("Order", 2, "bob"),
              event("Order", 30 * 60, "bob")]  # fmt: skip

    simulation = simulate(by(audience="loyal", schedule=schedule), events=events,
                          until=3 * DAY, groups=groups(loyal=LOYAL))  # fmt: skip

    assert [user for user, _ in entered(simulation)] == ["ada", "bob"]


def test_a_rate_spreads_entries() -> None:
    schedule = {"at": "2026-03-02T13:00", "rate": "1/m"}
    events = [event("Order", 0, f"u{n}") for n in range(3)]

    simulation = simulate(by(audience="all", schedule=schedule), events=events, until=DAY,
                          groups=groups(all=ALL))  # fmt: skip

    assert [minutes for _, minutes in entered(simulation)] == [60, 61, 62]


def test_each_enters_when_it_is_time_where_they_live() -> None:
    schedule = {"at": "2026-03-03T09:00", "zone": "customer"}
    events = [identify(0, "tokyo", time_zone="Asia/Tokyo"), identify(1, "nowhere")]

    simulation = simulate(by(audience="all", schedule=schedule), events=events, until=2 * DAY,
                          groups=groups(all=ALL))  # fmt: skip

    assert entered(simulation) == [("tokyo", 12 * 60), ("nowhere", 21 * 60)]


def test_a_date_enters_on_its_day_every_year() -> None:
    journey = by(date="customer.born", every="year", at="09:00")
    events = [identify(0, "ada", born="1990-03-04"), identify(1, "bob", born="1990-07-01")]

    simulation = simulate(journey, events=events, until=366 * DAY)

    assert [user for user, _ in entered(simulation)] == ["ada", "bob"]
    assert simulation.passages[0].inside.entry["date"] == "1990-03-04"


def test_running_out_begins_no_runs_and_enters_nobody_by_time() -> None:
    daily = by(audience="quiet", schedule={"cron": "0 9 * * *"})
    joining = plan(PAUSE, journey="two", entry={"audience": "quiet", "on": "joining"})
    long = plan({"id": "long", "kind": "wait", "duration": "90d"}, journey="three",
                entry={"event": "Order"})  # fmt: skip

    simulation = simulate(daily, joining, long, events=[event("Order")], groups=groups(quiet=QUIET))

    assert [one.plan.name for one in simulation.passages] == ["three"]
    assert simulation.passages[0].outcome == "completed"


# Files -----------------------------------------------------------------------------

NEWS = "audience: news\nkind: list\n"
RULE = 'audience: rule\nkind: rule\nwhen: in_audience("news")\n'


def test_folders_and_lists_are_read(tmp_path: Path) -> None:
    (tmp_path / "news.yaml").write_text(NEWS)
    (tmp_path / "rule.yml").write_text(RULE)
    (tmp_path / "journey.yaml").write_text("journey: j\nsteps: []\n")
    (tmp_path / "ids.txt").write_text("ada\n\nbob\n")
    (tmp_path / "ids.csv").write_text("customer,user_id\n1,eve\n2,\n")

    lists = [f"news={tmp_path / 'ids.txt'}", f"other={tmp_path / 'ids.csv'}"]
    found = groups_of([tmp_path], lists)

    assert found is not None
    assert found.given == {"news", "rule", "other"}
    assert (found.lists_of(["bob"]), found.lists_of(["eve"])) == ({"news"}, {"other"})
    assert groups_of([], []) is None


@pytest.mark.parametrize(("files", "lists", "said"), [
    ({"a.yaml": "audience: a\nkind: rule\n"}, [], "when is missing"),
    ({"a.yaml": NEWS, "b.yaml": NEWS}, [], "both define audience 'news'"),
    ({"a.yaml": RULE}, ["rule=ids.txt"], "audience 'rule' is a rule, no list"),
    ({"a.yaml": RULE.replace("news", "rule")}, [], "circle"),
    ({}, ["news"], "write it as NAME=FILE"),
    ({}, ["news=away.txt"], "away.txt cannot be read: there is no such file"),
    ({}, ["No Name=ids.txt"], "no audience can be called 'No Name'"),
    ({"x.txt": ""}, [], "no file in this folder holds an audience"),
])  # fmt: skip
def test_what_cannot_be_simulated_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    lists: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "audiences"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    Path("ids.txt").write_text("ada\n")

    with pytest.raises(CommandError) as refused:
        groups_of([folder] if files else [], lists)

    assert said in str(refused.value)
