"""What differs between two versions of a journey."""

import json
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, Literal

from journeys.definition import Journey
from journeys.model import Model
from journeys.steps.base import END
from journeys.templates import Template

Templates = Mapping[str, Template]
TOP = ("journey", "class", "guarantee", "description", "entry", "exits", "goal")


class Change(Model):
    """One difference: in what, of which field or part, from what to what."""

    change: Literal["added", "removed", "changed", "moved"]
    of: Literal["journey", "step", "exit", "template"]
    name: str
    field: str | None = None
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        sign = {"added": "+", "removed": "-"}.get(self.change, "~")
        subject = self.name if self.of == "journey" else f"{self.of} {self.name}"
        where = f"{subject} {self.field}" if self.field and self.of != "journey" else subject
        if self.of == "template" and self.change == "changed":
            return "\n".join([f"{sign} {where}", *self._lines()])
        if self.change == "changed":
            return f"{sign} {where}: {self.before or 'none'} → {self.after or 'none'}"
        if self.change == "moved":
            return f"{sign} {where} moved: {self.before} → {self.after}"
        return f"{sign} {where}" if self.of == "template" else f"{sign} {where}: {self._either}"

    @property
    def _either(self) -> str | None:
        return self.before if self.after is None else self.after

    def _lines(self) -> list[str]:
        before, after = (self.before or "").splitlines(), (self.after or "").splitlines()
        return [f"    {line}" for line in [*unified_diff(before, after, lineterm="", n=1)][2:]]


def diff(before: tuple[Journey, Templates], after: tuple[Journey, Templates]) -> list[Change]:
    """What has to change to get from one to the other: rules, steps, exits, templates."""
    return [
        *_rules(before[0], after[0]),
        *_steps(before[0], after[0]),
        *_exits(before[0], after[0]),
        *_templates(before[1], after[1]),
    ]


def _rules(before: Journey, after: Journey) -> Iterator[Change]:
    old, new = _fields(before), _fields(after)
    for name in sorted({*old, *new}, key=lambda name: TOP.index(name.split(".")[0])):
        if old.get(name) != new.get(name):
            yield Change(
                change="changed",
                of="journey",
                name=name,
                before=_text(old.get(name)),
                after=_text(new.get(name)),
            )


def _fields(journey: Journey) -> dict[str, Any]:
    data = journey.model_dump(mode="json", by_alias=True, exclude={"steps"}, exclude_none=True)
    entry = data.pop("entry")
    return {**data, **{f"entry.{name}": value for name, value in entry.items()}}


def _steps(before: Journey, after: Journey) -> Iterator[Change]:
    old = {step.id: _step(step) for step in before.steps}
    new = {step.id: _step(step) for step in after.steps}
    for id, data in old.items():
        if id not in new:
            yield Change(change="removed", of="step", name=id, before=_text(data))
    for id, data in new.items():
        if id not in old:
            yield Change(change="added", of="step", name=id, after=_text(data))
            continue
        for field in {**old[id], **data}:
            if old[id].get(field) != data.get(field):
                yield Change(
                    change="changed",
                    of="step",
                    name=id,
                    field=field,
                    before=_text(old[id].get(field)),
                    after=_text(data.get(field)),
                )
    if before.steps[0].id != after.steps[0].id:
        yield Change(
            change="changed",
            of="journey",
            name="first step",
            before=before.steps[0].id,
            after=after.steps[0].id,
        )


def _step(step: Any) -> dict[str, Any]:
    """A step without its edges, which are compared by where they lead."""
    data: dict[str, Any] = step.model_dump(
        mode="json", by_alias=True, exclude={"id", "then"}, exclude_none=True
    )
    return data


def _exits(before: Journey, after: Journey) -> Iterator[Change]:
    """Exits of steps that both have: new ones, lost ones, and those that lead elsewhere now."""
    old, new = before.edges(), after.edges()
    both = {step.id for step in before.steps} & {step.id for step in after.steps}
    for id, exit in {**old, **new}:
        if id not in both:
            continue
        name, edge = f"{id}.{exit}", (id, exit)
        if edge not in new:
            yield Change(change="removed", of="exit", name=name, before=f"to {old[edge] or END}")
        elif edge not in old:
            yield Change(change="added", of="exit", name=name, after=f"to {new[edge] or END}")
        elif old[edge] != new[edge]:
            yield Change(
                change="moved",
                of="exit",
                name=name,
                before=old[edge] or END,
                after=new[edge] or END,
            )


def _templates(before: Templates, after: Templates) -> Iterator[Change]:
    old = {(name, part): text for name, one in before.items() for part, text in one.parts.items()}
    new = {(name, part): text for name, one in after.items() for part, text in one.parts.items()}
    for name, part in {**old, **new}:
        was, is_now = old.get((name, part)), new.get((name, part))
        if was == is_now:
            continue
        change: Literal["added", "removed", "changed"] = "changed"
        if was is None or is_now is None:
            change = "added" if was is None else "removed"
        yield Change(change=change, of="template", name=name, field=part, before=was, after=is_now)


def _text(value: object) -> str | None:
    """A value on one line."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
