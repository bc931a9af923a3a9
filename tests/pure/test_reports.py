"""The reports of a simulation, and the command that writes them."""

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from typer.testing import CliRunner

from cli.commands import command_line
from cli.errors import CommandError
from cli.reports.days import bars, nice
from cli.reports.flow import flow
from cli.reports.html import page
from cli.reports.layout import Layout
from cli.reports.phrases import lasting, share
from cli.reports.places import Arrow, Place
from cli.reports.text import text
from cli.shop import make_shop
from journeys.simulation.reckoning import reckon
from journeys.simulation.tally import Report
from tests.pure.simulated import START, event, identify, plan, simulate
from tests.shop import YEAR, with_year

EAR = {
    "id": "ear",
    "kind": "wait_for",
    "timeout": "1h",
    "then": {"came": "end"},
    "events": {"came": {"event": "Came"}},
}
MAIL = {"id": "mail", "kind": "send", "channel": "email", "template": "hello"}
ROOT = Path(__file__).parents[2]


def report(until: float | None = 200) -> Report:
    """Three customers: one wakes, one is mailed, one has no address; a fourth is still inside."""
    journey = plan(
        EAR,
        MAIL,
        goal={"event": "Came", "within": "1d"},
        entry={"event": "Start", "when": "event.n > 0.0"},
    )
    events = [identify(user="b", email="b@x.example")]
    events += [event("Start", user=user, n=1, message_id=f"start-{user}") for user in "abc"]
    events += [event("Came", 30, user="a"), event("Start", 31, n=0)]
    events.append(event("Start", 170, user="d", n=2))
    return reckon(simulate(journey, events=events, until=until), with_instances=True)


def test_report_adds_up() -> None:
    [journey] = report().journeys

    ear, mail = journey.steps
    assert (journey.entered, journey.still_inside, journey.outcomes) == (4, 1, {"completed": 3})
    assert {row.exit: row.count for row in ear.exits} == {"came": 1, "timed_out": 2}
    assert (ear.visits, ear.still_here) == (4, 1)
    assert {row.exit: row.count for row in mail.exits} == {"sent": 1, "not_sent": 1}
    assert {(row.state, row.reason, row.count) for row in journey.messages} == {
        ("accepted", None, 1),
        ("skipped", "no_address", 1),
    }
    assert [(row.state, row.count) for row in journey.messages_by_day] == [
        ("accepted", 1),
        ("skipped", 1),
    ]
    assert journey.goal is not None
    assert (journey.goal.met, journey.goal.median) == (1, 1800)


def test_report_names_the_event_of_each_first_entry() -> None:
    [journey] = report().journeys

    assert journey.first_entries["a"] == "start-a"
    assert list(journey.first_entries) == ["a", "b", "c", "d"]


def test_report_lists_instances_visit_by_visit() -> None:
    [journey] = report().journeys

    assert journey.instances is not None
    last = journey.instances[-1]
    assert (last.customer, last.outcome, last.visits[0].exit) == ("d", None, None)


def test_report_counts_refusals_with_an_example() -> None:
    [row] = report().journeys[0].refusals

    assert (row.reason, row.decided_by, row.events) == ("condition", "event.n > 0.0", 1)
    assert row.values == {"event.n": 0}


def test_text_says_who_went_where() -> None:
    said = text(report(), "shop.jsonl")

    assert "entered 4 times, by 4 customers" in said
    assert "the customer has no address on that channel" in said
    assert "met by 1 (25 %), half of them within 30m" in said


def test_page_is_one_file_and_escapes_what_it_shows() -> None:
    entry = {"event": "Start", "when": 'event.n == "<b>"'}
    journey = plan(MAIL, description="<script>", entry=entry)
    shown = page(reckon(simulate(journey, events=[event("Start", n="<i>")])), "<file>")

    assert "http" not in shown
    assert "<script>" not in shown
    assert "&lt;i&gt;" in shown
    assert "&lt;file&gt;" in shown


def test_flow_shows_every_step_and_count() -> None:
    picture = flow(report().journeys[0])

    words = list(ElementTree.fromstring(picture).itertext())
    assert {"ear", "mail", "came 1 · 25 %", "1 still here", "4 entered"} <= set(words)


def test_flow_of_nobody_is_drawn_too() -> None:
    circle = plan({**EAR, "then": {"came": "ear", "timed_out": "mail"}}, {**MAIL, "then": "ear"})

    picture = flow(reckon(simulate(circle, events=[])).journeys[0])

    assert ElementTree.fromstring(picture) is not None


def test_layout_lets_nothing_overlap() -> None:
    names = "abcdefgh"
    pairs = ["ab", "ac", "ad", "be", "ce", "de", "af", "ef", "fa", "eg", "gh", "ah"]

    layout = Layout(
        {name: Place(100, 50) for name in names}, [Arrow(one[0], one[1], 80, 16) for one in pairs]
    ).arrange()

    for row in layout.rows:
        for left, right in pairwise(row):
            assert left.x + left.width / 2 < right.x - right.width / 2
    assert [arrow.is_back for arrow in layout.arrows].count(True) == 1
    assert layout.boxes["h"].y > layout.boxes["g"].y > layout.boxes["a"].y


def test_bars_are_empty_without_messages() -> None:
    assert bars([]) == ""


@pytest.mark.parametrize(
    ("most", "step"), [(1, 1), (6, 1), (7, 2), (40, 10), (110, 20), (9000, 2000)]
)
def test_axis_has_round_steps(most: int, step: int) -> None:
    assert nice(most) == step


def test_phrases_are_honest_about_small_numbers() -> None:
    assert [share(0, 9), share(1, 900), share(899, 900), share(9, 9), share(0, 0)] == [
        "0 %",
        "< 1 %",
        "> 99 %",
        "100 %",
        "-",
    ]
    assert [lasting(45), lasting(3_660), lasting(1_900_000)] == ["45s", "1h1m", "21d23h"]


def journey_file(folder: Path) -> Path:
    path = folder / "ring.yaml"
    path.write_text(
        "journey: ring\nentry: {event: Order Completed}\nsteps:\n"
        "  - {id: ask, kind: call, url: 'https://example.com/'}\n",
        encoding="utf-8",
    )
    return path


def events_file(folder: Path, lines: list[Any]) -> Path:
    path = folder / "events.jsonl.gz"
    rows = (one if isinstance(one, bytes) else orjson.dumps(one) for one in lines)
    path.write_bytes(gzip.compress(b"\n".join(rows)))
    return path


def test_command_names_bad_lines_and_goes_on(tmp_path: Path) -> None:
    good = {
        "type": "track",
        "event": "Order Completed",
        "userId": "a",
        "timestamp": "2026-03-01T00:00Z",
    }
    events = events_file(
        tmp_path,
        [
            good,
            b"{broken",
            {**good, "userId": None},
            [1],
            {**good, "timestamp": None, "userId": "b"},
        ],
    )

    result = CliRunner().invoke(
        command_line(["simulate"]),
        ["simulate", str(journey_file(tmp_path)), "--events", str(events), "--format", "json"],
    )

    said = orjson.loads(result.stdout)
    assert (said["events"], said["bad_lines"]) == (1, 4)
    assert [line.split(":")[1] for line in said["first_bad_lines"]] == ["2", "3", "4", "5"]
    assert said["journeys"][0]["first_entries"] == {"a": "events.jsonl.gz:1"}


def test_command_takes_assumptions_and_an_end(tmp_path: Path) -> None:
    shop = list(make_shop(10, 20, 1, START))
    (tmp_path / "assume.yaml").write_text("ask: {status: 200, body: {ok: true}}", encoding="utf-8")

    result = CliRunner().invoke(
        command_line(["simulate"]),
        [
            "simulate",
            str(journey_file(tmp_path)),
            "--events",
            str(events_file(tmp_path, shop)),
            "--assume",
            str(tmp_path / "assume.yaml"),
            "--format",
            "json",
            "--instances",
            "--shift-to",
            "2030-01-01T00:00:00Z",
        ],
    )

    said = orjson.loads(result.stdout)
    assert said["last_event"] == "2030-01-01T00:00:00+00:00"
    assert {one["visits"][0]["exit"] for one in said["journeys"][0]["instances"]} == {"answered"}


def test_command_refuses_assumptions_about_no_call(tmp_path: Path) -> None:
    (tmp_path / "assume.yaml").write_text("other: {status: 200}", encoding="utf-8")

    result = CliRunner().invoke(
        command_line(["simulate"]),
        [
            "simulate",
            str(journey_file(tmp_path)),
            "--events",
            str(events_file(tmp_path, [])),
            "--assume",
            str(tmp_path / "assume.yaml"),
        ],
    )

    assert isinstance(result.exception, CommandError)
    assert "no journey has such a call step" in str(result.exception)


@pytest.mark.slow
@with_year
def test_a_real_shops_year_goes_through_win_back(tmp_path: Path) -> None:
    out = tmp_path / "report.json"

    CliRunner().invoke(
        command_line(["simulate"]),
        [
            "simulate",
            str(ROOT / "examples" / "win-back.yaml"),
            "--events",
            str(YEAR),
            "--format",
            "json",
            "--out",
            str(out),
            "--run-out",
        ],
    )

    said = orjson.loads(out.read_bytes())
    assert (said["events"], said["bad_lines"]) == (30_331, 0)
    assert said["journeys"][0]["still_inside"] == 0
