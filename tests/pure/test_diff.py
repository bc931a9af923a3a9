"""What differs between two versions of a journey."""

from typing import Any

from journeys.definition import Journey
from journeys.diff import Change, diff
from journeys.templates import Template

SETTLE = {"id": "settle", "kind": "wait", "duration": "45m"}
HI = {"id": "hi", "kind": "send", "channel": "sms", "template": "hi"}
BYE = {"id": "bye", "kind": "end"}


def journey(*steps: dict[str, Any], **rules: Any) -> Journey:
    """A journey of those steps."""
    return Journey.model_validate({"journey": "j", "entry": {"event": "X"}, "steps": steps} | rules)


def changes(before: Journey, after: Journey) -> list[str]:
    """What differs, as it is printed."""
    return [str(change) for change in diff((before, {}), (after, {}))]


def test_the_same_journey_has_no_difference() -> None:
    assert changes(journey(SETTLE, HI), journey(SETTLE, HI)) == []


def test_a_changed_field_is_named_with_both_values() -> None:
    longer = journey(SETTLE | {"duration": "1h"}, HI)

    assert changes(journey(SETTLE, HI), longer) == ["~ step settle duration: 45m → 1h"]


def test_a_step_put_in_between_moves_the_exit_before_it() -> None:
    assert changes(journey(SETTLE, HI), journey(SETTLE, BYE, HI)) == [
        '+ step bye: {"kind": "end"}',
        "~ exit settle.waited moved: hi → bye",
    ]


def test_a_removed_first_step_changes_where_instances_start() -> None:
    assert changes(journey(SETTLE, HI), journey(HI)) == [
        '- step settle: {"kind": "wait", "duration": "45m"}',
        "~ first step: settle → hi",
    ]


def test_rules_are_compared_by_field() -> None:
    after = journey(
        HI, entry={"event": "X", "when": "event.a == 1.0"}, exits=[{"event": "Y"}],
        goal={"event": "Z", "within": "14d"},
    )  # fmt: skip

    assert changes(journey(HI), after) == [
        "~ entry.when: none → event.a == 1.0",
        '~ exits: [] → [{"event": "Y"}]',
        '~ goal: none → {"event": "Z", "within": "14d"}',
    ]


def test_exits_that_come_and_go_are_named() -> None:
    branch = {"id": "b", "kind": "branch", "branches": {"vip": "customer.vip"}}
    after = branch | {"branches": {"new": "customer.new"}}

    said = changes(journey(branch), journey(after))

    assert said[1:] == ["- exit b.vip: to end", "+ exit b.new: to end"]


def test_templates_are_compared_line_by_line() -> None:
    def hi(**parts: str) -> dict[str, Template]:
        return {"hi": Template(name="hi", channel="email", parts=parts)}

    before, after = hi(subject="Hi", text="one\ntwo"), hi(text="one\nthree", html="<p>")

    found = diff((journey(HI), before), (journey(HI), after))

    assert [str(change) for change in found] == [
        "- template hi subject",
        "~ template hi text\n    @@ -1,2 +1,2 @@\n     one\n    -two\n    +three",
        "+ template hi html",
    ]
    assert Change.model_validate_json(found[0].model_dump_json()) == found[0]
