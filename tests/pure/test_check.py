"""Everything that can be wrong with a journey is found, and all at once."""

import pytest

from journeys.check import check_document
from journeys.document import read
from journeys.finding import Finding
from journeys.templates import Template

TEMPLATES = {
    "hi": Template(name="hi", channel="sms", parts={"text": "Hello"}),
    "holes": Template(
        name="holes", channel="sms", parts={"text": "{{ custmer.x }}\n{{ steps.ask.body.x }}"}
    ),
}
ASK = "{id: ask, kind: call, url: 'https://a.example'}"
HI = "{id: hi, kind: send, channel: sms, template: hi}"

TEN_WAYS = """\
journey: Ten Ways
entry:
  event: Order Completed
  when: entry.total > 5.0
exits:
  - {event: Order Completed}
steps:
  - {id: settle, kind: wait, duration: 45}
  - {id: reminder, kind: send, channel: sms, template: gone}
  - id: reaction
    kind: wait_for
    events: {clicked: {event: Message Clicked, of: worth}}
    timeout: 1d
    then: {clicked: end, timedout: worth, timed_out: wurth}
  - {id: worth, kind: branch, branches: {vip: customer.total >}, then: {otherwise: worth}}
  - {id: worth, kind: end}
  - {id: lost, kind: send, channel: mail, template: gone}
"""


def found(*steps: str, entry: str = "{event: X}", more: str = "") -> list[Finding]:
    """What is wrong with a journey of those steps."""
    rows = "".join(f"  - {one}\n" for one in steps)
    document = read(f"journey: j\nentry: {entry}\n{more}steps:\n{rows}", "j.yaml")
    return check_document(document, TEMPLATES)


def codes(*steps: str, entry: str = "{event: X}", more: str = "") -> list[str]:
    """The codes of what is wrong with a journey of those steps."""
    return [finding.code for finding in found(*steps, entry=entry, more=more)]


def wait_for(events: str, rest: str = "timeout: 1d") -> str:
    """A wait for those events."""
    return f"{{id: w, kind: wait_for, events: {{{events}}}, {rest}}}"


def test_a_definition_wrong_in_ten_ways_gets_them_all_in_one_go() -> None:
    findings = check_document(read(TEN_WAYS, "ten.yaml"), {})

    assert [(one.line, one.code) for one in findings] == [
        (1, "wrong_value"),
        (4, "not_there"),
        (6, "exit_on_entry"),
        (8, "wrong_value"),
        (9, "no_template"),
        (12, "of_no_send"),
        (14, "unknown_exit"),
        (14, "unknown_step"),
        (15, "endless_ring"),
        (15, "unreachable"),
        (15, "expression"),
        (16, "duplicate_id"),
        (17, "unreachable"),
        (17, "wrong_value"),
    ]
    assert all(one.hint and one.message for one in findings)


def test_a_sound_journey_has_no_findings() -> None:
    assert found("{id: settle, kind: wait, duration: 1h}", HI) == []


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        (["{id: end, kind: wait, duration: 1d}"], "reserved_id"),
        ([HI, HI], "duplicate_id"),
        ([wait_for("e: {event: E}"), HI.replace("id: hi", "id: w")], "duplicate_id"),
        ([HI.replace("}", ", then: hj}")], "unknown_step"),
        ([HI.replace("}", ", then: {send: end}}")], "unknown_exit"),
        (["{id: a, kind: end}", HI], "unreachable"),
        (["{id: a, kind: end, then: end}"], "end_with_edge"),
        (["{id: a, kind: branch, branches: {otherwise: 'true'}}"], "reserved_exit"),
        ([HI.replace("}", ", then: hi}")], "endless_ring"),
        (["{id: a, kind: wait, window: {from: '09:00'}, then: a}"], "endless_ring"),
        (["{id: a, kind: wait, until: '2026-01-01T00:00:00Z', then: a}"], "endless_ring"),
        ([wait_for("e: {event: E, since: entry}", "timeout: 1d, then: {e: w}")], "endless_ring"),
        (["{id: a, kind: wait, duration: 0s}"], "empty_wait"),
        ([wait_for("e: {event: E}", "timeout: 0s")], "empty_wait"),
        ([wait_for("e: {event: E, of: hi}"), HI], "of_not_before"),
        ([wait_for("e: {event: E, of: hello}"), HI], "unknown_step"),
        (["{id: a, kind: wait, duration: 1d}", wait_for("e: {event: E, of: a}")], "of_no_send"),
        ([wait_for("e: {event: E}, f: {event: E, when: event.x == 1.0}")], "never_met"),
        (["{id: a, kind: branch, branches: {a: event.x == 1.0}}"], "not_there"),
        (["{id: a, kind: branch, branches: {a: customer.x ==}}"], "expression"),
        (["{id: a, kind: branch, branches: {a: \"'text'\"}}"], "expression"),
        (["{id: a, kind: update, set: {x: steps.nope.body}}"], "unknown_step"),
        ([HI, "{id: a, kind: update, set: {x: steps.hi.state}}"], "no_output"),
        (["{id: a, kind: update, set: {x: steps.ask.body}}", ASK], "read_too_early"),
        (["{id: a, kind: wait, date: {attribute: event.x}}"], "not_there"),
        ([HI.replace("template: hi", "template: gone")], "no_template"),
        ([HI, "{id: a, kind: send, channel: push, template: hi}"], "two_channels"),
        (["{id: a, kind: call, url: a.example}"], "no_url"),
        (["{id: a, kind: call, url: 'https://{{ custmer.x }}'}"], "template"),
    ],
)  # fmt: skip
def test_each_kind_of_trouble_is_found(steps: list[str], code: str) -> None:
    assert codes(*steps) == [code]


@pytest.mark.parametrize(
    "steps",
    [
        ["{id: a, kind: wait, duration: 1d, then: a}"],
        ["{id: a, kind: wait, next: {time: '09:00'}, then: a}"],
        [wait_for("e: {event: E}", "timeout: 30d, then: {e: w}")],
        [wait_for("e: {event: E, since: entry}", "timeout: 0s")],
        [HI, wait_for("e: {event: E, of: hi}", "timeout: 1d, then: {e: hi}")],
        [ASK, "{id: a, kind: update, set: {x: steps.ask.body.x}}"],
        ["{id: a, kind: update, set: {x: entry.anything}}"],
    ],
)
def test_what_can_be_lived_is_left_alone(steps: list[str]) -> None:
    assert codes(*steps) == []


def test_rules_of_the_whole_journey_are_checked() -> None:
    assert codes(HI, entry="{when: event.x == 1.0}") == ["not_there"]
    assert codes(HI, entry="{event: X, key: event.a +}") == ["expression"]
    assert codes(HI, more="goal: {event: Y, within: 0s}\n") == ["empty_wait"]
    assert codes(HI, more="goal: {event: Y, within: 1d, when: steps.a.b}\n") == ["not_there"]
    assert codes(HI, more="exits: [{event: Y}, {event: Y, when: event.a == 1.0}]\n") == [
        "never_met"
    ]
    assert codes(wait_for("e: {event: Y}"), more="exits: [{event: Y}]\n") == ["never_met"]


def test_what_may_be_meant_is_a_warning() -> None:
    (again,) = found(HI, more="exits: [{event: X}]\n")
    (topic, _) = found("{id: a, kind: send, channel: email, template: gone}")

    assert (again.code, again.severity) == ("exit_on_entry", "warning")
    assert (topic.code, topic.severity) == ("no_topic", "warning")


def test_a_broken_expression_has_its_place_in_the_file_and_a_caret() -> None:
    (finding,) = found("{id: a, kind: branch, branches: {a: customer.x = 1.0}}")

    assert (finding.line, finding.step, finding.field) == (4, "a", "branches.a")
    assert finding.column == 52
    assert finding.excerpt == "customer.x = 1.0\n           ^"


def test_trouble_in_a_template_names_the_templates_file_and_line() -> None:
    unknown, early = found("{id: a, kind: send, channel: sms, template: holes}", ASK)

    assert unknown.file == early.file == "templates/holes.text.liquid"
    assert "custmer" in unknown.message or "custmer" in early.message
    assert {unknown.code, early.code} == {"template", "read_too_early"}


def test_a_step_that_cannot_be_read_blames_no_other() -> None:
    broken = "{id: ask, kind: cal, then: {x: hi}}"

    assert codes(broken, "{id: a, kind: update, set: {x: steps.ask.body}}", HI) == ["unknown_kind"]
