"""Evaluates what most conditions are made of without CEL, each part once for all conditions.

Whatever it is not made for, in an expression or in the data, is left to CEL: where it answers, it
answers as CEL does.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.evaluators import (
    Evaluator,
    Scope,
    Unfit,
    belongs,
    constant,
    single,
    sized,
    variable,
    within,
)
from expressions.facts import Facts
from expressions.operators import BINARY, UNARY, among
from expressions.past import Rows, at, counted, decided, filtered, named, of_event, of_loop, summed
from expressions.program import Program, part
from expressions.tree import is_call, spelled

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
SPANS = frozenset({"days", "hours", "duration"})
PLACES = {"first": 0, "last": -1}
Loops = tuple[str, ...]  # the variables of the loops around a part, the outermost first


@lru_cache(maxsize=8_192)
def direct(program: Program) -> Evaluator | None:
    """The expression as a function, which raises Unknown or Unsure; None when it is for CEL."""
    try:
        return Maker(program).value(program.checked.expr, ())
    except Unfit:
        return None


class Maker:
    """Makes functions of the parts of an expression; raises Unfit for what is left to CEL."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def value(self, node: syntax_pb2.Expr, loops: Loops) -> Evaluator:
        """The value of a part: a number, a text, a time, yes or no."""
        match node.WhichOneof("expr_kind"):
            case "const_expr":
                return constant(node.const_expr)
            case "ident_expr" if node.ident_expr.name == "now" not in loops:
                return lambda facts, _: facts.now
            case "select_expr":
                return single(self._selection(node, loops))
            case "comprehension_expr":
                return self._shared(node, loops, self._loop(node.comprehension_expr, loops))
            case "call_expr":
                return self._call(node, loops)
        raise Unfit

    def _call(self, node: syntax_pb2.Expr, loops: Loops) -> Evaluator:
        call = node.call_expr
        given = [call.target] if call.HasField("target") else list(call.args)
        match call.function:
            case "size":
                return self._shared(node, loops, self._size(given[0], loops))
            case "sum":
                return self._shared(node, loops, self._sum(given[0], loops))
            case "in_audience" if given[0].const_expr.HasField("string_value"):
                return belongs(given[0].const_expr.string_value)
            case "@in":
                return among(self.value(given[0], loops), given[1].list_expr)
        if call.function in SPANS:
            span = self._span(node)
            return lambda *_: span
        made = [self.value(one, loops) for one in given]
        if len(made) == 1 and call.function in UNARY:
            return UNARY[call.function](*made)
        if len(made) == 2 and call.function in BINARY:
            return BINARY[call.function](*made)
        raise Unfit

    def _shared(self, node: syntax_pb2.Expr, loops: Loops, made: Evaluator) -> Evaluator:
        """The same part of many conditions is worked out once for the same facts."""
        if loops:
            return made
        key = spelled(node)

        def value(facts: Facts, scope: Scope) -> Any:
            if key not in facts.memo:
                facts.memo[key] = made(facts, scope)
            return facts.memo[key]

        return value

    def _selection(self, node: syntax_pb2.Expr, loops: Loops) -> Evaluator:
        """What lies at a path of a variable or of an event, as it is, or `has` of it."""
        keys: list[str] = []
        is_asked_for = node.select_expr.test_only
        while node.HasField("select_expr"):
            keys.insert(0, node.select_expr.field)
            node = node.select_expr.operand
        if node.call_expr.function in PLACES:
            rows = self._rows(node.call_expr.args[0], loops)
            one = at(rows, PLACES[node.call_expr.function])
            return of_event(one, keys, is_asked_for=is_asked_for)
        name = node.ident_expr.name
        if name in loops:
            place = len(loops) - 1 - loops[::-1].index(name)
            return of_event(of_loop(place), keys, is_asked_for=is_asked_for)
        return within(variable(name), keys, is_asked_for=is_asked_for)

    # Lists of past events ------------------------------------------------------------

    def _rows(self, node: syntax_pb2.Expr, loops: Loops) -> Rows:
        """The past events that a part is a list of: all of a name, or those a filter leaves."""
        if is_call(node, "events"):
            return named(*self._asked(node))
        rows, item = self._made(node, loops)
        if item.ident_expr.name != node.comprehension_expr.iter_var:
            raise Unfit
        return rows

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

    def _made(self, node: syntax_pb2.Expr, loops: Loops) -> tuple[Rows, syntax_pb2.Expr]:
        """The rows that `map` or `filter` goes through and keeps, and what it makes of each."""
        if not node.HasField("comprehension_expr"):
            raise Unfit
        made, step = node.comprehension_expr, node.comprehension_expr.loop_step
        rows = self._rows(made.iter_range, loops)
        if is_call(step, "_?_:_"):
            rows = filtered(rows, self.value(step.call_expr.args[0], (*loops, made.iter_var)))
            step = step.call_expr.args[1]
        if not is_call(step, "_+_") or len(step.call_expr.args[1].list_expr.elements) != 1:
            raise Unfit
        return rows, step.call_expr.args[1].list_expr.elements[0]

    def _size(self, node: syntax_pb2.Expr, loops: Loops) -> Evaluator:
        if is_call(node, "events"):
            return counted(*self._asked(node))
        if node.HasField("select_expr") and not node.select_expr.test_only:
            return sized(self._selection(node, loops))
        rows = self._rows(node, loops)
        return lambda facts, scope: len(rows(facts, scope))

    def _sum(self, node: syntax_pb2.Expr, loops: Loops) -> Evaluator:
        rows, item = self._made(node, loops)
        return summed(rows, self.value(item, (*loops, node.comprehension_expr.iter_var)))

    def _loop(self, loop: syntax_pb2.Expr.Comprehension, loops: Loops) -> Evaluator:
        """Whether one of the rows is so, or all are."""
        rows = self._rows(loop.iter_range, loops)
        decisive = {"_||_": True, "_&&_": False}.get(loop.loop_step.call_expr.function)
        if decisive is None or loop.accu_init.const_expr.bool_value is decisive:
            raise Unfit
        says = self.value(loop.loop_step.call_expr.args[1], (*loops, loop.iter_var))
        return decided(rows, says, decisive=decisive)
