"""The fields of a journey file: which there are where, and the way to one in plain data."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel

from journeys.definition import ExitRule, Goal, Journey
from journeys.entry import After, Entry
from journeys.schedule import CatchUp, Schedule
from journeys.source_map import Path
from journeys.steps import Step
from journeys.steps.base import StepBase
from journeys.steps.moments import DateWait, NextTime, Window
from journeys.steps.wait_for import Awaited

KINDS: dict[str, type[StepBase]] = {
    model.model_fields["kind"].default: model for model in get_args(get_args(Step)[0])
}
PARTS: Mapping[tuple[str | None, ...], type[BaseModel]] = {
    (): Journey,
    ("entry",): Entry,
    ("entry", "reentry"): After,
    ("entry", "schedule"): Schedule,
    ("entry", "schedule", "catch_up"): CatchUp,
    ("exits", None): ExitRule,
    ("goal",): Goal,
    ("steps", None, "events", "*"): Awaited,
    ("steps", None, "date"): DateWait,
    ("steps", None, "next"): NextTime,
    ("steps", None, "window"): Window,
}


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, else all there are."""
    known = list(known)
    close = get_close_matches(word, known, 1, 0.6)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}"


def field_name(path: Path) -> str:
    """A path as its author would say it, within its step: `events.clicked.event`."""
    parts = path[2:] if path[:1] == ("steps",) and len(path) > 2 else path
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def at(data: object, path: Path) -> object:
    """What stands at `path`; None where nothing does."""
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def fields_of(path: Path, data: object) -> list[str]:
    """The fields that can stand in the mapping at `path`."""
    pattern = tuple(None if isinstance(part, int) else part for part in path)
    model = PARTS.get(pattern) or PARTS.get((*pattern[:-1], "*"))
    if pattern == ("steps", None):
        kind = at(data, (*path, "kind"))
        model = KINDS.get(kind) if isinstance(kind, str) else None
    return (
        [] if model is None else [field.alias or name for name, field in model.model_fields.items()]
    )
