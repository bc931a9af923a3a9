"""What `direct` puts its functions together from: each means exactly what it means in CEL."""

import operator
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, TypeAlias

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.facts import Facts, PastEvent
from expressions.present import OCCURRED_AT, is_in

# Over the facts of a customer and, within a loop, one of their past events.
Evaluator: TypeAlias = Callable[[Facts, "PastEvent | None"], Any]
Operator: TypeAlias = Callable[[Any, Any], Any]

SAFE = 2**53  # whole numbers up to here are the same as doubles
ROOTS = frozenset({"customer", "event", "entry"})
KINDS = {float: "number", int: "number", str: "text", bool: "truth"}


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


def selection(node: syntax_pb2.Expr, loop: str | None) -> Evaluator:
    """What lies at a path of a variable, or `has` of it."""
    keys: list[str] = []
    is_asked_for = node.select_expr.test_only
    while node.HasField("select_expr"):
        keys.insert(0, node.select_expr.field)
        node = node.select_expr.operand
    start, (*parents, last) = variable(node.ident_expr.name, loop), keys
    if node.ident_expr.name == loop and keys[0] == OCCURRED_AT:
        raise Unfit

    def value(facts: Facts, event: PastEvent | None) -> Any:
        found = start(facts, event)
        for key in parents:
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            raise Unsure
        if is_asked_for:
            return last in found
        if last not in found:
            raise Unknown
        return scalar(found[last])

    return value


def variable(name: str, loop: str | None) -> Evaluator:
    """The properties of the event of a loop, or what the facts hold under that name."""
    if name == loop:
        return lambda _, event: event and event.properties
    if name not in ROOTS:
        raise Unfit
    return lambda facts, _: facts.root(name)


def scalar(value: Any) -> Any:
    """A single value as CEL sees it; raises Unsure for null, lists, maps and what is no text."""
    kind = type(value)
    if kind is int:
        try:
            return float(value)
        except OverflowError:
            return inf if value > 0 else -inf
    if kind is float or kind is bool or (kind is str and is_readable(value)):
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
    if KINDS.get(type(value)) != "number":
        raise Unsure
    return value


def joined(left: Evaluator, right: Evaluator, *, decisive: bool) -> Evaluator:
    """&& or ||: where one side is `decisive`, the other does not matter, nor that it is unknown."""

    def value(facts: Facts, event: PastEvent | None) -> bool:
        try:
            if truth(left(facts, event)) is decisive:
                return decisive
        except Unknown:
            if truth(right(facts, event)) is decisive:
                return decisive
            raise
        return truth(right(facts, event))

    return value


def negated(of: Evaluator) -> Evaluator:
    """The other answer."""
    return lambda facts, event: not truth(of(facts, event))


def widened(of: Evaluator) -> Evaluator:
    """A number as a double."""
    return lambda facts, event: float(number(of(facts, event)))


def compared(by: Operator, left: Evaluator, right: Evaluator) -> Evaluator:
    """Two numbers, two texts or two truths."""

    def value(facts: Facts, event: PastEvent | None) -> bool:
        a, b = left(facts, event), right(facts, event)
        if KINDS[type(a)] is not KINDS[type(b)]:
            raise Unsure
        answer: bool = by(a, b)
        return answer

    return value


def computed(by: Operator, left: Evaluator, right: Evaluator) -> Evaluator:
    """Two doubles."""

    def value(facts: Facts, event: PastEvent | None) -> float:
        a, b = left(facts, event), right(facts, event)
        if type(a) is not float or type(b) is not float:
            raise Unsure
        try:
            answer: float = by(a, b)
        except ZeroDivisionError as error:
            raise Unsure from error
        return answer

    return value


def among(item: Evaluator, listed: syntax_pb2.Expr.CreateList) -> Evaluator:
    """Whether a text is one of those that are written out."""
    texts = frozenset(one.const_expr.string_value for one in listed.elements)
    if not listed.elements or not all(
        one.const_expr.HasField("string_value") for one in listed.elements
    ):
        raise Unfit

    def value(facts: Facts, event: PastEvent | None) -> bool:
        text = item(facts, event)
        if type(text) is not str:
            raise Unsure
        return text in texts

    return value


def belongs(audience: str) -> Evaluator:
    """Whether the customer is in that audience."""

    def value(facts: Facts, _: PastEvent | None) -> bool:
        try:
            return is_in(facts, audience)
        except LookupError as error:
            raise Unknown from error

    return value


UNARY: dict[str, Callable[[Evaluator], Evaluator]] = {"!_": negated, "double": widened}
BINARY: dict[str, Callable[[Evaluator, Evaluator], Evaluator]] = {
    "_&&_": partial(joined, decisive=False),
    "_||_": partial(joined, decisive=True),
    "_==_": partial(compared, operator.eq),
    "_!=_": partial(compared, operator.ne),
    "_<_": partial(compared, operator.lt),
    "_<=_": partial(compared, operator.le),
    "_>_": partial(compared, operator.gt),
    "_>=_": partial(compared, operator.ge),
    "_+_": partial(computed, operator.add),
    "_-_": partial(computed, operator.sub),
    "_*_": partial(computed, operator.mul),
    "_/_": partial(computed, operator.truediv),
}
