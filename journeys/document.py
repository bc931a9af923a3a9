"""A journey file, read: the journey, or everything about its shape that is wrong.

What a readable journey means, and whether it can be lived, is for `check`. It is given a draft
too where parts could not be read, so that one run finds all there is to find.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from journeys.definition import ExitRule, Goal, Journey
from journeys.entry import Entry
from journeys.fields import at, field_name
from journeys.finding import Finding, ordered
from journeys.source_map import Path, SourceMap
from journeys.steps import Step
from journeys.steps.base import StepBase
from journeys.text import read_text
from journeys.tree import Problem
from journeys.wording import Said, say

STEP: TypeAdapter[Any] = TypeAdapter(Step)
NAME = "unnamed"
Part = TypeVar("Part", Entry, ExitRule, Goal)


class Unread(StepBase):
    """Stands in a draft for a step that could not be read."""

    kind: Literal["unread"] = "unread"

    @property
    def exits(self) -> tuple[str, ...]:
        return (*(self.then if isinstance(self.then, dict) else ()), "unread")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds. `journey` is None where something is wrong with its shape."""

    file: str
    map: SourceMap
    data: Mapping[str, Any] | None = None
    journey: Journey | None = None
    draft: Journey | None = None
    findings: tuple[Finding, ...] = ()


def read(text: str, file: str) -> Document:
    """The document that `text` is; `file` names it in findings."""
    data, places, problems = read_text(text)
    findings = [_of_text(problem, data, file) for problem in problems]
    if data is None and problems:
        return Document(file, places, findings=tuple(findings))
    document = understand(data, places, file)
    if not findings:
        return document
    return Document(
        file,
        places,
        document.data,
        None,
        document.draft,
        tuple(ordered([*findings, *document.findings])),
    )


def understand(data: object, places: SourceMap, file: str) -> Document:
    """The document of a definition that is data already, such as one that came over HTTP."""
    shaped = data if isinstance(data, dict) else None
    try:
        journey = Journey.model_validate(data)
    except ValidationError as error:
        said = say(error.errors(include_url=False), data)
        findings = ordered([_of_shape(one, data, places, file) for one in said])
        draft = None if shaped is None else _draft(shaped)
        return Document(file, places, shaped, None, draft, tuple(findings))
    return Document(file, places, shaped, journey, journey)


def step_id(data: object, path: Path) -> str | None:
    """The id of the step that `path` lies in."""
    found = at(data, (*path[:2], "id")) if path[:1] == ("steps",) and len(path) > 1 else None
    return found if isinstance(found, str) else None


def _of_text(problem: Problem, data: object, file: str) -> Finding:
    return Finding(
        file=file,
        line=problem.place.line,
        column=problem.place.column,
        step=step_id(data, problem.path),
        field=field_name(problem.path) or None,
        code=problem.code,
        message=problem.message,
        hint=problem.hint,
    )


def _of_shape(said: Said, data: object, places: SourceMap, file: str) -> Finding:
    place = places.key(said.path) if said.at_key else places.place(said.path)
    whole_step = said.path[:1] == ("steps",) and len(said.path) == 2
    return Finding(
        file=file,
        line=place.line,
        column=place.column,
        step=step_id(data, said.path),
        field=None if whole_step else field_name(said.path) or None,
        code=said.code,
        message=said.message,
        hint=said.hint,
    )


def _draft(data: Mapping[str, Any]) -> Journey:
    """The journey as far as it can be read."""
    name, steps, exits = data.get("journey"), data.get("steps"), data.get("exits")
    rules = [_part(ExitRule, rule) for rule in exits] if isinstance(exits, list) else []
    return Journey.model_construct(
        journey=name if isinstance(name, str) else NAME,
        class_="transactional" if data.get("class") == "transactional" else "marketing",
        entry=_part(Entry, data.get("entry")) or Entry(event=None),
        exits=tuple(rule or ExitRule(event=" ") for rule in rules),
        goal=_part(Goal, data.get("goal")),
        steps=tuple(_step(step) for step in steps) if isinstance(steps, list) else (),
    )


def _part(model: type[Part], data: object) -> Part | None:
    try:
        return model.model_validate(data)
    except ValidationError:
        return None


def _step(data: object) -> Any:
    try:
        return STEP.validate_python(data)
    except ValidationError:
        id, then = at(data, ("id",)), at(data, ("then",))
        edges = then if isinstance(then, dict) else {}
        return Unread.model_construct(
            id=id if isinstance(id, str) else "",
            then=then
            if isinstance(then, str)
            else {exit: target for exit, target in edges.items() if isinstance(target, str)},
        )
