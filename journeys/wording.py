"""What pydantic finds wrong with a definition, said in plain English."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from journeys.fields import KINDS, at, field_name, fields_of, nearest
from journeys.source_map import Path

SHAPES = {
    "reentry": "write never, after_exit, or {after: 7d}",
    "catch_up": "write skip, or {within: 1d}",
    "then": "write the id of a step, or a mapping from exits to ids of steps",
}
PATTERNS = {
    "journey": "start with a letter; use only lower-case letters, digits and dashes, at most 63",
    "id": "start with a letter; use only lower-case letters, digits and underscores, at most 63",
    "template": "use only lower-case letters, digits, dashes and underscores, at most 63",
    "topic": "use only lower-case letters, digits, dashes and underscores, at most 63",
}
NOUNS = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
SPAN = re.compile(r"datetime\.timedelta\((?:(days=)|seconds=)?(\d+)\)")
BOUNDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


class Said(NamedTuple):
    """One thing that is wrong: where in the data, and the sentence about it."""

    path: Path
    code: str
    message: str
    hint: str
    at_key: bool = False


def shown(value: object) -> str:
    """A value as its author would recognise it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "empty"
    if isinstance(value, Mapping | list | tuple):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def say(errors: Iterable[ErrorDetails], data: object) -> list[Said]:
    """A sentence for each thing that is wrong, where it is most precise."""
    found = [(*_path(error, data), error) for error in errors]
    deeper = {path[:length] for path, _, _ in found for length in range(len(path))}
    said: dict[Path, Said] = {}
    for path, is_alternative, error in found:
        if is_alternative and path[-1:] and path[-1] in SHAPES:
            if path not in deeper:
                said[*path, "shape"] = _shape(path, data)
        elif not _counts_bad_parts(error, at(data, path)):
            said.setdefault((*path, error["type"]), _one(error, path, data))
    return list(said.values())


def _counts_bad_parts(error: ErrorDetails, value: object) -> bool:
    """Whether a list is called too short only because its parts are wrong."""
    return (
        error["type"] == "too_short"
        and isinstance(value, Mapping | list)
        and bool(value)
        and (len(value) >= error["ctx"]["min_length"])
    )


def _path(error: ErrorDetails, data: object) -> tuple[Path, bool]:
    """Where in the data the error is, and whether it speaks of one of several possible shapes."""
    loc = error["loc"]
    if loc[:1] == ("steps",) and len(loc) > 2:
        loc = (*loc[:2], *loc[3:])
    path: Path = ()
    for part in loc:
        here = at(data, path)
        is_there = part in here if isinstance(here, Mapping) else isinstance(part, int)
        if is_there or (error["type"] == "missing" and part == loc[-1]):
            path = (*path, part)
    return path, len(path) < len(loc)


def _shape(path: Path, data: object) -> Said:
    name, value = field_name(path), shown(at(data, path))
    return Said(path, "wrong_value", f"{name} cannot be {value}", SHAPES[str(path[-1])])


def _one(error: ErrorDetails, path: Path, data: object) -> Said:
    """The sentence for one error."""
    kind, name, context = error["type"], field_name(path) or "the file", error.get("ctx", {})
    value = at(data, path)
    if kind == "missing":
        return Said(path, "missing_field", f"{name} is missing", f"add '{path[-1]}: …'")
    if kind == "extra_forbidden":
        hint = nearest(str(path[-1]), fields_of(path[:-1], data))
        return Said(path, "unknown_field", f"unknown field {name!r}", hint, at_key=True)
    if kind.startswith("union_tag"):
        return _kind(path, at(data, (*path, "kind")))
    if kind == "value_error":
        message, _, hint = str(context["error"]).partition("; ")
        return Said(path, "wrong_value", message, hint or "correct it")
    if kind in NOUNS:
        return _type(path, name, NOUNS[kind], value)
    return Said(path, "wrong_value", *_value(kind, name, value, context, path))


def _kind(path: Path, kind: object) -> Said:
    known = ", ".join(KINDS)
    if kind is None:
        return Said(path, "missing_field", "kind is missing", f"add 'kind: …', one of {known}")
    close = get_close_matches(str(kind), KINDS, 1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return Said(
        (*path, "kind"), "unknown_kind", f"unknown kind {shown(kind)}", f"{guess}kinds are {known}"
    )


def _type(path: Path, name: str, noun: str, value: object) -> Said:
    hint = f"write {noun}"
    if noun == "text" and isinstance(value, bool | int | float):
        hint = f'write it in quotes: "{shown(value)}"'
    return Said(path, "wrong_type", f"{name} must be {noun}, and is {shown(value)}", hint)


def _value(
    kind: str, name: str, value: object, context: Mapping[str, Any], path: Path
) -> tuple[str, str]:
    """Message and hint for a value of the right type that will not do."""
    match kind:
        case "string_pattern_mismatch":
            return f"{name} {shown(value)} will not do as a name", PATTERNS.get(
                str(path[-1]), f"it must match {context['pattern']}"
            )
        case "string_too_short" | "too_short":
            least = context["min_length"]
            return (
                f"{name} is empty" if least == 1 else f"{name} has too few parts",
                f"it needs at least {least}",
            )
        case "string_too_long" | "too_long":
            return f"{name} is too long", f"at most {context['max_length']} fit"
        case "literal_error":
            return f"{name} cannot be {shown(value)}", f"it is {context['expected']}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            word, bound = next(iter(context.items()))
            if span := SPAN.fullmatch(str(bound)):
                bound = f"{span[2]}{'d' if span[1] else 's'}"
            return f"{name} cannot be {shown(value)}", f"it must be {BOUNDS[word]} {bound}"
        case _ if kind.startswith(("datetime", "timezone")):
            return (
                f"{name} {shown(value)} is not an instant with its offset from UTC",
                "write it like 2026-12-24T09:00:00+01:00",
            )
        case _:
            return f"{name} {shown(value)} will not do", f"pydantic says: {kind}"
