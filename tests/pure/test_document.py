"""Reading journey files: shape, places, and what YAML makes easy to get wrong."""

import json

import pytest

from journeys.document import Document, read, understand
from journeys.source_map import SourceMap

GOOD = """\
journey: hello
entry: {event: Signed Up}
steps:
  - {id: greet, kind: send, channel: sms, template: hi}
"""


def findings(text: str) -> list[tuple[int, str]]:
    """Line and code of everything that is wrong with `text`."""
    return [(finding.line, finding.code) for finding in read(text, "j.yaml").findings]


def step(fields: str) -> str:
    """A journey of one step, which stands on line 4."""
    return GOOD.replace("id: greet, kind: send, channel: sms, template: hi", fields)


def the_finding(document: Document) -> str:
    """The only thing that is wrong."""
    (finding,) = document.findings
    return str(finding)


def test_yaml_and_json_make_the_same_journey() -> None:
    from_yaml = read(GOOD, "j.yaml")
    from_json = read(json.dumps(from_yaml.data, indent="\t"), "j.json")

    assert from_yaml.journey is not None
    assert from_json.journey == from_yaml.journey
    assert understand(from_yaml.data, SourceMap(), "").journey == from_yaml.journey


def test_json_escapes_are_read_as_json_means_them() -> None:
    text = json.dumps({"journey": "hello", "description": "\U0001f600 / \u00e9"})

    document = read(text.replace("/", "\\/"), "j.json")

    assert document.data is not None
    assert document.data["description"] == "\U0001f600 / \u00e9"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (step("id: greet, kind: wait, duration: 45"), 4, "45 is not a duration"),
        (step("id: greet, kind: wiat"), 4, "did you mean 'wait'?"),
        (step("id: greet, kind: end, thn: end"), 4, "did you mean 'then'?"),
        (step("id: greet"), 4, "kind is missing"),
        (step("id: Greet, kind: end"), 4, "'Greet' will not do as a name"),
        (step("id: greet, kind: end, then: 5"), 4, "then cannot be 5"),
        (step("id: greet, kind: end, then: {ended: true}"), 4, "must be text, and is true"),
        (step("id: a, kind: call, url: http://a, timeout: 61s"), 4, "at most 60s"),
        (step("id: a, kind: split, paths: {a: 10, b: 20}"), 4, "add up to 30"),
        (GOOD.replace("{event: Signed Up}", "{event: 5}"), 2, 'in quotes: "5"'),
        (GOOD.replace("{event", "{reentry: often, event"), 2, "never, after_exit, or"),
        (GOOD.replace("{event", "{reentry: {after: soon}, event"), 2, "is not a duration"),
        (GOOD.replace("{event: Signed Up}", ""), 2, "entry must be a mapping, and is empty"),
        (GOOD + "journey: again\n", 5, "stands here a second time"),
        (GOOD.replace("hello", "Hello There"), 1, "will not do as a name"),
        (GOOD.replace("  - {id: greet, kind: send, channel: sms, template: hi}", "  []"), 4,
         "steps is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_plain_words_with_its_line(
    text: str, line: int, says: str
) -> None:
    said = the_finding(read(text, "j.yaml"))

    assert said.startswith(f"j.yaml:{line}: ")
    assert says in said


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"), ("a: [", "syntax"), ("a:\n\t- b\n", "syntax"), ("\x00", "syntax"),
        (GOOD + "---\n" + GOOD, "syntax"), ("[" * 5_000, "too_deep"), ("a: &a [*a]", "too_deep"),
        ("#" * 1_000_001, "too_big"), ("- 1", "wrong_type"), ("just text", "wrong_type"),
        (GOOD + "1: x\n", "key_not_text"), (GOOD + "? [a]\n: x\n", "key_not_text"),
        (GOOD + "true: x\n", "key_not_text"), (GOOD + "<<: {class: marketing}\n", "merge_key"),
        (GOOD + "description: .inf\n", "value_not_read"), (GOOD + "goal: !!python/x y\n", None),
    ],
)  # fmt: skip
def test_what_yaml_makes_easy_to_get_wrong_is_found(text: str, code: str | None) -> None:
    document = read(text, "j.yaml")

    assert document.journey is None
    assert code is None or code in {finding.code for finding in document.findings}


def test_aliases_cannot_blow_up() -> None:
    rows = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        rows.append(f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]")

    assert [code for _, code in findings("\n".join(rows))] == ["too_big"]


def test_words_that_other_readers_take_for_booleans_are_text() -> None:
    text = GOOD.replace("journey: hello", "journey: hello\ndescription: no")

    document = read(text, "j.yaml")

    assert document.journey is not None
    assert document.journey.description == "no"


def test_a_step_that_cannot_be_read_keeps_its_place_in_the_draft() -> None:
    text = step("id: greet, kind: wiat, then: {a: end, b: 5}")

    draft = read(text, "j.yaml").draft

    assert draft is not None
    assert [one.id for one in draft.steps] == ["greet"]
    assert draft.edges() == {("greet", "a"): None, ("greet", "unread"): None}


@pytest.mark.parametrize(
    ("written", "line", "column", "at"),
    [
        ("a == 1", 1, 3, (1, 8)),
        ("'a == 1'", 1, 3, (1, 9)),
        ("|\n  a == 1\n  && b", 2, 4, (3, 6)),
        (">\n  a == 1\n  && b", 1, 8, (3, 3)),
        ("|-\n\n    a", 1, 1, (3, 5)),
    ],
)
def test_a_place_within_a_text_is_found_in_the_file(
    written: str, line: int, column: int, at: tuple[int, int]
) -> None:
    places = read(f"key: {written}\n", "j.yaml").map

    assert places.within(("key",), line, column) == at
