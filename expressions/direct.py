"""Evaluates what most conditions are made of without CEL, each part once for all conditions.

Whatever it is not made for, in an expression or in the data, is left to CEL: where it answers, it
answers as CEL does.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.evaluators import (
    BINARY,
    UNARY,
    Evaluator,
    Unfit,
    Unknown,
    among,
    belongs,
    constant,
    selection,
    truth,
)
from expressions.facts import Facts, PastEvent
from expressions.lists import total
from expressions.present import window_of
from expressions.program import Program, part
from expressions.tree import is_call, spelled

Rows: TypeAlias = Callable[[Facts], "list[PastEvent]"]

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
SPANS = frozenset({"days", "hours", "duration"})


@lru_cache(maxsize=8_192)
def direct(program: Program) -> Evaluator | None:
    """The expression as a function, which raises Unknown or Unsure; None when it is for CEL."""
    try:
        return Maker(program).value(program.checked.expr, None)
    except Unfit:
        return None


class Maker:
    """Makes functions of the parts of an expression; `loop` is the variable of the loop around."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def value(self, node: syntax_pb2.Expr, loop: str | None) -> Evaluator:
        """The value of a part: a number, a text, yes or no; raises Unfit."""
        match node.WhichOneof("expr_kind"):
            case "const_expr":
                return constant(node.const_expr)
            case "select_expr":
                return selection(node, loop)
            case "comprehension_expr":
                return self._shared(node, loop, self._loop(node.comprehension_expr, loop))
            case "call_expr":
                return self._call(node, loop)
        raise Unfit

    def _call(self, node: syntax_pb2.Expr, loop: str | None) -> Evaluator:
        call = node.call_expr
        given = [call.target] if call.HasField("target") else list(call.args)
        match call.function:
            case "size":
                return self._shared(node, loop, self._size(given[0], loop))
            case "sum":
                return self._shared(node, loop, self._sum(given[0], loop))
            case "in_audience" if given[0].const_expr.HasField("string_value"):
                return belongs(given[0].const_expr.string_value)
            case "@in":
                return among(self.value(given[0], loop), given[1].list_expr)
        made = [self.value(one, loop) for one in given]
        if len(made) == 1 and call.function in UNARY:
            return UNARY[call.function](*made)
        if len(made) == 2 and call.function in BINARY:
            return BINARY[call.function](*made)
        raise Unfit

    def _shared(self, node: syntax_pb2.Expr, loop: str | None, made: Evaluator) -> Evaluator:
        """The same part of many conditions is worked out once for the same facts."""
        if loop is not None:
            return made
        key = spelled(node)

        def value(facts: Facts, event: PastEvent | None) -> Any:
            if key not in facts.memo:
                facts.memo[key] = made(facts, event)
            return facts.memo[key]

        return value

    # Lists of past events ------------------------------------------------------------

    def _rows(self, node: syntax_pb2.Expr, loop: str | None) -> Rows:
        """The past events that a part is a list of: all of a name, or those a filter leaves."""
        if loop is not None:
            raise Unfit
        if is_call(node, "events"):
            name, within = self._asked(node)
            return lambda facts: past(facts, name, within)
        rows, item = self._made(node)
        if item.ident_expr.name != node.comprehension_expr.iter_var:
            raise Unfit
        return rows

    def _size(self, node: syntax_pb2.Expr, loop: str | None) -> Evaluator:
        rows = self._rows(node, loop)
        if not is_call(node, "events"):
            return lambda facts, _: len(rows(facts))
        name, within = self._asked(node)
        return lambda facts, _: counted(*window(facts, name, within))

    def _asked(self, node: syntax_pb2.Expr) -> tuple[str, timedelta | None]:
        """Which events, and how far back."""
        name, *rest = node.call_expr.args
        return name.const_expr.string_value, self._span(rest[0]) if rest else None

    def _span(self, node: syntax_pb2.Expr) -> timedelta:
        call = node.call_expr
        if call.function not in SPANS or not call.args[0].HasField("const_expr"):
            raise Unfit
        found = part(self._program, node)(EPOCH)
        if found is None:
            raise Unfit
        span: timedelta = found.plain_value()
        return span

    def _made(self, node: syntax_pb2.Expr) -> tuple[Rows, syntax_pb2.Expr]:
        """The rows that `map` or `filter` goes through and keeps, and what it makes of each."""
        if not node.HasField("comprehension_expr"):
            raise Unfit
        made, step = node.comprehension_expr, node.comprehension_expr.loop_step
        rows = self._rows(made.iter_range, None)
        if is_call(step, "_?_:_"):
            rows = filtered(rows, self.value(step.call_expr.args[0], made.iter_var))
            step = step.call_expr.args[1]
        if not is_call(step, "_+_") or len(step.call_expr.args[1].list_expr.elements) != 1:
            raise Unfit
        return rows, step.call_expr.args[1].list_expr.elements[0]

    def _sum(self, node: syntax_pb2.Expr, loop: str | None) -> Evaluator:
        if loop is not None:
            raise Unfit
        rows, made_of = self._made(node)
        item = self.value(made_of, node.comprehension_expr.iter_var)

        def value(facts: Facts, _: PastEvent | None) -> float:
            try:
                return total([item(facts, one) for one in rows(facts)])
            except TypeError as error:
                raise Unknown from error

        return value

    def _loop(self, loop: syntax_pb2.Expr.Comprehension, outer: str | None) -> Evaluator:
        """Whether one of the rows is so, or all are."""
        rows = self._rows(loop.iter_range, outer)
        decisive = {"_||_": True, "_&&_": False}.get(loop.loop_step.call_expr.function)
        if decisive is None or loop.accu_init.const_expr.bool_value is decisive:
            raise Unfit
        says = self.value(loop.loop_step.call_expr.args[1], loop.iter_var)

        def value(facts: Facts, _: PastEvent | None) -> bool:
            unknown = None
            for one in rows(facts):
                try:
                    if truth(says(facts, one)) is decisive:
                        return decisive
                except Unknown as error:
                    unknown = error
            if unknown is not None:
                raise unknown
            return not decisive

        return value


def past(facts: Facts, name: str, within: timedelta | None) -> list[PastEvent]:
    """The events of that name up to now, later than `within` before now."""
    start, stop = window(facts, name, within)
    return list(facts.history.get(name, ())[start:stop])


def window(facts: Facts, name: str, within: timedelta | None) -> tuple[int, int]:
    """Where they begin and end."""
    try:
        return window_of(facts, name, within)
    except OverflowError as error:
        raise Unknown from error


def counted(start: int, stop: int) -> int:
    """How many there are in between."""
    return stop - start


def filtered(rows: Rows, keeps: Evaluator) -> Rows:
    """Those that a condition keeps."""
    return lambda facts: [one for one in rows(facts) if truth(keeps(facts, one))]
