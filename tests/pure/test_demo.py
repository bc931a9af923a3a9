"""The demo's own parts: what it posts when, what readers do, and whether its report adds up."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo.audit import differences, totals
from cli.demo.feed import Agenda
from cli.demo.readers import Postbox, reactions
from cli.demo.scene import Scene, Tally
from cli.demo.screen import Screen, picture
from cli.demo.show import waits_beyond
from cli.demo.stage import wipe
from embedded.mbox import entry

START = datetime(2026, 6, 1, tzinfo=UTC)
NOON = START + timedelta(hours=12)


def mail(id: str) -> EmailMessage:
    made = EmailMessage()
    made["To"], made["Subject"] = "shopper-1@customers.example", "Hi"
    made["X-Parcours-Message"] = id
    return made


def message(id: str, state: str = "accepted") -> dict[str, str]:
    return {"id": id, "state": state, "journey": "welcome", "step": "hello"}


def scene() -> Scene:
    return Scene(START, START + timedelta(days=35), NOON)


def test_events_come_due_in_the_order_of_their_time() -> None:
    events = [{"n": n, "timestamp": (START + timedelta(hours=n)).isoformat()} for n in (3, 1, 2)]
    agenda = Agenda(events)

    assert [event["n"] for event in agenda.due(START + timedelta(hours=2))] == [1, 2]
    assert [event["n"] for event in agenda.due(NOON)] == [3]


def test_a_mail_brings_about_the_same_events_each_time() -> None:
    made = [[*reactions(mail(str(n)), NOON)] for n in range(300)]

    assert made == [[*reactions(mail(str(n)), NOON)] for n in range(300)]
    names = [event["event"] for events in made for event in events]
    assert 30 < names.count("Message Clicked") < 90
    assert 1 <= names.count("Unsubscribed") < 20


def test_the_postbox_is_read_on_from_where_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "box"
    postbox = Postbox(path)

    assert list(postbox.new()) == []
    path.write_bytes(entry([b"a@b.example"], bytes(mail("1"))))
    assert [one["X-Parcours-Message"] for one in postbox.new()] == ["1"]
    assert list(postbox.new()) == []


def test_a_ledger_that_agrees_with_the_mailbox_is_right() -> None:
    messages = [message("1"), message("2", "skipped"), message("3", "unknown")]

    assert differences(messages, {"1": 1}) == []
    assert differences(messages, {"1": 1, "3": 1}) == []


@pytest.mark.parametrize(
    ("state", "mails", "said"),
    [
        ("accepted", {}, "1 sent by the ledger, and not in the mailbox: 1"),
        ("accepted", {"1": 2}, "1 in the mailbox more than once: 1"),
        ("skipped", {"1": 1}, "1 in the mailbox, and not sent by the ledger: 1"),
        ("sending", {}, "1 begun and without a fate: 1"),
    ],
)
def test_a_difference_is_named(state: str, mails: dict[str, int], said: str) -> None:
    assert differences([message("1", state)], mails) == [said]


def test_a_report_that_counts_other_messages_than_the_ledger_is_named() -> None:
    report = {"journey": "welcome",
              "messages": [{"step": "hello", "state": "accepted", "count": 2}]}  # fmt: skip

    assert totals([report], [message("1"), message("2")]) == []
    assert totals([report], [message("1")]) == [
        "welcome/hello: the report counts 2 accepted, the ledger lists 1"
    ]


def test_an_instance_waits_beyond_the_end_only_by_a_later_deadline() -> None:
    assert waits_beyond({"waits_until": "2026-06-01T12:00:01+00:00"}, NOON)
    assert not waits_beyond({"waits_until": "2026-06-01T12:00:00Z"}, NOON)
    assert not waits_beyond({"waits_until": None}, NOON)


def test_happenings_are_told_by_name() -> None:
    show = scene()

    show.on_event({"type": "identify", "userId": "shopper-1", "timestamp": NOON.isoformat(),
                   "traits": {"first_name": "Ada"}})  # fmt: skip
    show.on_event({"type": "track", "event": "Product Viewed", "userId": "shopper-1",
                   "timestamp": NOON.isoformat(), "properties": {}})  # fmt: skip
    show.on_mail(mail("1"), NOON)

    assert [text for _, text in show.happenings] == [
        "Ada (shopper-1) signs up", "Ada (shopper-1) is sent “Hi”",
    ]  # fmt: skip
    assert (show.posted, show.mails) == (2, 1)


def test_without_a_terminal_a_plain_line_comes_every_few_days() -> None:
    said = StringIO()
    screen, show = Screen(Console(file=said, width=200)), scene()
    with screen.shown():
        for day in range(35):
            show.now = NOON + timedelta(days=day)
            screen.draw(show)
            screen.draw(show)

    assert [line[:6] for line in said.getvalue().splitlines()] == [
        "day  1", "day  5", "day 10", "day 15", "day 20", "day 25", "day 30", "day 35",
    ]  # fmt: skip


def test_the_picture_names_every_journey() -> None:
    said, show = StringIO(), scene()
    show.tallies = [Tally("welcome", 7, 2, 1, {"accepted": 6, "skipped": 1})]

    Console(file=said, width=100).print(picture(show))

    assert "day 1 of 35" in said.getvalue()
    row = next(line for line in said.getvalue().splitlines() if "welcome" in line)
    assert row.split() == ["welcome", "7", "2", "5", "1", "6", "1"]


def test_a_demo_begins_on_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "demo" / "logs").mkdir(parents=True)
    (tmp_path / "demo" / "mailbox.mbox").write_text("an earlier demo's")

    wipe(tmp_path / "demo")

    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["lock"]
