"""The operators of what is evaluated without CEL: each means exactly what it means there."""

import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.evaluators import Evaluator, Scope, Unfit, Unknown, Unsure, number, truth
from expressions.facts import Facts

Operator: TypeAlias = Callable[[Any, Any], Any]

DOUBLES, TIMED = frozenset({float}), frozenset({datetime, timedelta})
CENTURY = timedelta(days=36_500)  # CEL has no lengths of time of three
KINDS: dict[type, str] = {
    float: "number",
    int: "number",
    str: "text",
    bool: "truth",
    datetime: "time",
    timedelta: "span",
}


def joined(left: Evaluator, right: Evaluator, *, decisive: bool) -> Evaluator:
    """&& or ||: where one side is `decisive`, the other does not matter, nor that it is unknown."""

    def value(facts: Facts, scope: Scope) -> bool:
        try:
            if truth(left(facts, scope)) is decisive:
                return decisive
        except Unknown:
            if truth(right(facts, scope)) is decisive:
                return decisive
            raise
        return truth(right(facts, scope))

    return value


def negated(of: Evaluator) -> Evaluator:
    """The other answer."""
    return lambda facts, scope: not truth(of(facts, scope))


def widened(of: Evaluator) -> Evaluator:
    """A number as a double."""
    return lambda facts, scope: float(number(of(facts, scope)))


def compared(by: Operator, left: Evaluator, right: Evaluator) -> Evaluator:
    """Two numbers, two texts or two truths."""

    def value(facts: Facts, scope: Scope) -> bool:
        a, b = left(facts, scope), right(facts, scope)
        if KINDS[type(a)] is not KINDS[type(b)]:
            raise Unsure
        answer: bool = by(a, b)
        return answer

    return value


def computed(by: Operator, left: Evaluator, right: Evaluator) -> Evaluator:
    """Two doubles, or times and lengths of time as far as they are short."""

    def value(facts: Facts, scope: Scope) -> Any:
        a, b = left(facts, scope), right(facts, scope)
        kinds = DOUBLES if type(a) is float else TIMED
        if type(a) not in kinds or type(b) not in kinds:
            raise Unsure
        try:
            answer = by(a, b)
        except (ArithmeticError, TypeError) as error:
            raise Unsure from error
        if type(answer) not in kinds or any(is_long(one) for one in (a, b, answer)):
            raise Unsure
        return answer

    return value


def is_long(value: object) -> bool:
    """Whether it is a length of time that CEL may not have."""
    return isinstance(value, timedelta) and abs(value) > CENTURY


def among(item: Evaluator, listed: syntax_pb2.Expr.CreateList) -> Evaluator:
    """Whether a text is one of those that are written out."""
    texts = frozenset(one.const_expr.string_value for one in listed.elements)
    if not listed.elements or not all(
        one.const_expr.HasField("string_value") for one in listed.elements
    ):
        raise Unfit

    def value(facts: Facts, scope: Scope) -> bool:
        text = item(facts, scope)
        if type(text) is not str:
            raise Unsure
        return text in texts

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
