"""The single values that `direct` starts from: each means exactly what it means in CEL."""

from collections.abc import Callable, Sequence
from datetime import datetime
from math import inf
from typing import Any, TypeAlias

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.facts import Facts, PastEvent
from expressions.present import is_in

# Over the facts of a customer and, of each loop around it, a past event, the outermost first.
Scope: TypeAlias = tuple[PastEvent, ...]
Evaluator: TypeAlias = Callable[[Facts, Scope], Any]

SAFE = 2**53  # whole numbers up to here are the same as doubles
ROOTS = frozenset({"customer", "event", "entry"})
PLAIN = frozenset({float, bool, datetime})


class Unknown(Exception):
    """An error, to CEL: the whole is unknown unless && or || makes do without this part."""


class Unsure(Exception):
    """The data are such that only CEL can tell."""


class Unfit(Exception):
    """A part of an expression that is left to CEL."""


def constant(given: syntax_pb2.Constant) -> Evaluator:
    """What is written out."""
    kind = given.WhichOneof("constant_kind")
    if kind not in {"bool_value", "string_value", "double_value", "int64_value"}:
        raise Unfit
    value = getattr(given, kind)
    if kind == "int64_value" and abs(value) > SAFE:
        raise Unfit
    return lambda _, __: value


def within(start: Evaluator, keys: Sequence[str], *, is_asked_for: bool) -> Evaluator:
    """What lies at a path of a map, as it is, or whether it is there at all."""
    *parents, last = keys

    def value(facts: Facts, scope: Scope) -> Any:
        found = start(facts, scope)
        for key in parents:
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            raise Unsure
        if not is_asked_for and last not in found:
            raise Unknown
        return last in found if is_asked_for else found[last]

    return value


def variable(name: str) -> Evaluator:
    """What the facts hold under that name."""
    if name not in ROOTS:
        raise Unfit
    return lambda facts, _: facts.root(name)


def single(of: Evaluator) -> Evaluator:
    """A single value as CEL sees it."""
    return lambda facts, scope: scalar(of(facts, scope))


def sized(of: Evaluator) -> Evaluator:
    """How long a text, a list or a map is."""

    def value(facts: Facts, scope: Scope) -> int:
        found = of(facts, scope)
        if type(found) not in {str, list, dict} or (type(found) is str and not is_readable(found)):
            raise Unsure
        return len(found)

    return value


def scalar(value: Any) -> Any:
    """A single value as CEL sees it; raises Unsure for null, lists, maps and what is no text."""
    kind = type(value)
    if kind is int:
        try:
            return float(value)
        except OverflowError:
            return inf if value > 0 else -inf
    if kind in PLAIN or (kind is str and is_readable(value)):
        return value
    raise Unsure


def is_readable(text: str) -> bool:
    """Whether a text can be put to CEL: not with halves of letters."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def truth(value: object) -> bool:
    """Yes or no; raises Unsure for the rest."""
    if value is True or value is False:
        return value
    raise Unsure


def number(value: Any) -> Any:
    """A number; raises Unsure for the rest."""
    if type(value) not in {float, int}:
        raise Unsure
    return value


def belongs(audience: str) -> Evaluator:
    """Whether the customer is in that audience."""

    def value(facts: Facts, _: Scope) -> bool:
        try:
            return is_in(facts, audience)
        except LookupError as error:
            raise Unknown from error

    return value
