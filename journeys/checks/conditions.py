"""Every expression of a journey: whether it compiles, and whether what it reads can be there."""

from collections.abc import Iterator
from typing import NamedTuple

from expressions import Condition, ExpressionError, Value, condition, value
from journeys.checks.outputs import misread
from journeys.checks.subject import Subject
from journeys.finding import Finding
from journeys.source_map import Path
from journeys.steps.base import Source, StepBase
from journeys.verdicts import ENTRY_SEEN, INSIDE_SEEN

NO_ROOT = {
    "event": "events are judged at the entry, in exits, the goal, and the events of wait_for",
    "entry": "what entered is there only once the customer is inside; at the entry it is `event`",
    "steps": "answers of steps are there only within steps",
}
NAMED = ("branches", "set", "properties")


class Written(NamedTuple):
    """An expression and where it is written."""

    path: Path
    source: Source
    step: str | None = None


def check_conditions(subject: Subject) -> Iterator[Finding]:
    """Everything about expressions."""
    for written in [*_of_journey(subject), *_of_steps(subject)]:
        try:
            compiled = _compile(written.source)
        except ExpressionError as error:
            yield _broken(subject, written, error)
            continue
        paths = [f"steps.{id}" for id in compiled.needs.steps]
        for code, message, hint in misread(paths, written.step, subject.graph):
            yield subject.finding(written.path, code, message, hint)


def _compile(source: Source) -> Condition | Value:
    compiler = condition if source.gives == "condition" else value
    return compiler(source.text, roots=source.roots)


def _broken(subject: Subject, written: Written, error: ExpressionError) -> Finding:
    place = subject.map.within(written.path, error.line, error.column)
    absent = next(
        (root for root in NO_ROOT if f"'{root}'" in error.message or f"`{root}`" in error.message),
        None,
    )
    if absent is not None and absent not in written.source.roots:
        return subject.finding(
            written.path,
            "not_there",
            f"there is no '{absent}' here",
            NO_ROOT[absent],
            place=place,
            excerpt=error.caret,
        )
    return subject.finding(
        written.path,
        "expression",
        error.message,
        error.hint or "correct the expression",
        place=place,
        excerpt=error.caret,
    )


def _of_journey(subject: Subject) -> Iterator[Written]:
    """The expressions outside the steps. Where no event enters, there is none to judge."""
    journey = subject.journey
    seen = ENTRY_SEEN if journey.entry.has_event else ENTRY_SEEN - {"event"}
    if journey.entry.when is not None:
        yield Written(("entry", "when"), Source("when", journey.entry.when, "condition", seen))
    if journey.entry.key is not None:
        yield Written(("entry", "key"), Source("key", journey.entry.key, "value", seen))
    for index, rule in enumerate(journey.exits):
        if rule.when is not None:
            yield Written(
                ("exits", index, "when"), Source("when", rule.when, "condition", INSIDE_SEEN)
            )
    if journey.goal is not None and journey.goal.when is not None:
        yield Written(("goal", "when"), Source("when", journey.goal.when, "condition", INSIDE_SEEN))


def _of_steps(subject: Subject) -> Iterator[Written]:
    for path, step in subject.steps():
        for source in step.sources():
            yield Written((*path, *_within(step, source)), source, step.id)


def _within(step: StepBase, source: Source) -> Path:
    """The path of a source in its step; names that authors choose may hold dots."""
    head, _, rest = source.field.partition(".")
    if head in NAMED:
        return (head, rest)
    if head == "events":
        return (head, rest.removesuffix(".when"), "when")
    return (head, rest) if rest else (head,)
