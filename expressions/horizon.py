"""When time alone could change the verdict of a condition: the next such instant for a customer.

Too early is harmless, too late is not: every instant at which a part of the condition could turn
is a candidate, whether it matters for the whole or not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.condition import Condition
from expressions.facts import Facts
from expressions.origins import Local, items, origins
from expressions.program import Program, part
from expressions.tree import children
from expressions.turning import EPOCH, Horizon, Sum

COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
HISTORY = frozenset({"events", "messages", "in_audience", "subscribed"})


class Underivable(Exception):
    """It cannot be told from the facts when time changes the verdict."""


def next_change(condition: Condition, facts: Facts) -> datetime | None:
    """The next instant at which the verdict over these facts may be another; None for never."""
    return joint([condition]).next(facts)


def joint(conditions: Iterable[Condition]) -> Horizon:
    """The rules of several conditions together, each once; raises ValueError where there are none.

    The next change is the one of any of them.
    """
    together = Horizon()
    for condition in conditions:
        found = horizon(condition.program)
        if found is None:
            raise ValueError(f"it cannot be told when {condition.source!r} changes with time")
        together.windows += [one for one in found.windows if one not in together.windows]
        together.sums += found.sums
        together.lengths += found.lengths
    return together


def reach(condition: Condition) -> timedelta | None:
    """How far back it looks at events; None where that is for ever, or cannot be told."""
    found = horizon(condition.program)
    windows = found.windows if found else []
    spans = [
        (origin.name, window)
        for origins, window in windows
        for origin in origins
        if origin.root == "events"
    ]
    if {name for name, _ in spans} != condition.needs.events or any(not one for _, one in spans):
        return None
    return max((window for _, window in spans), default=timedelta())


def is_derivable(condition: Condition) -> bool:
    """Whether `next_change` can tell; else it must be judged again every now and then."""
    return horizon(condition.program) is not None


@lru_cache(maxsize=4_096)
def horizon(program: Program) -> Horizon | None:
    """The rules of an expression; None when they cannot be told."""
    found = Horizon()
    try:
        Reader(program, found).visit(program.checked.expr, {})
    except Underivable:
        return None
    return found


@dataclass(frozen=True, slots=True)
class Reader:
    """Finds the rules in the tree of an expression."""

    program: Program
    found: Horizon

    def visit(self, node: syntax_pb2.Expr, local: Local) -> None:
        """Note what turns with time in a part; raises Underivable."""
        call = node.call_expr
        if node.ident_expr.name == "now" and "now" not in local:
            raise Underivable
        if call.function in {"events", "messages"}:
            self._window(node, local)
        elif call.function in COMPARISONS and reads_now(node, local):
            self._comparison(node, local)
        elif node.HasField("comprehension_expr"):
            loop = node.comprehension_expr
            self.visit(loop.iter_range, local)
            inside = {**local, loop.iter_var: items(loop.iter_range, local), loop.accu_var: None}
            for one in (loop.accu_init, loop.loop_condition, loop.loop_step, loop.result):
                self.visit(one, inside)
        else:
            for child in children(node):
                self.visit(child, local)

    def _window(self, node: syntax_pb2.Expr, local: Local) -> None:
        call = node.call_expr
        field = "occurred_at" if call.function == "events" else "at"
        rows = items(node, local) or frozenset()
        window = timedelta()
        if len(call.args) > 1:
            read = self._constant(call.args[1], local)
            if not isinstance(read, timedelta):
                raise Underivable
            window = read
        self.found.windows.append((frozenset(one.below(field) for one in rows), window))

    def _comparison(self, node: syntax_pb2.Expr, local: Local) -> None:
        left, right = (self._sum(one, local) for one in node.call_expr.args)
        if left is None or right is None:
            for one in node.call_expr.args:
                self.visit(one, local)
            return
        difference = left.plus(right, -1)
        if abs(difference.now) > 1:
            raise Underivable
        if difference.now:
            self.found.sums.append(difference)
        for one in difference.parts:
            self.visit(one, local)

    def _sum(self, node: syntax_pb2.Expr, local: Local) -> Sum | None:
        if node.ident_expr.name == "now" and "now" not in local:
            return Sum(now=1)
        constant = self._constant(node, local)
        if isinstance(constant, datetime):
            return Sum(offset=constant - EPOCH)
        if isinstance(constant, timedelta):
            return Sum(offset=constant)
        call = node.call_expr
        if call.function in {"_+_", "_-_"}:
            left, right = (self._sum(one, local) for one in call.args)
            if left is None or right is None:
                return None
            made = left.plus(right, 1 if call.function == "_+_" else -1)
            if made.now and made.now + sum(sign for sign, _ in made.sources) == 0:
                self.found.lengths.append(made)
            return made
        found = origins(node, local)
        return None if found is None else Sum(sources=((1, found),), parts=(node,))

    def _constant(self, node: syntax_pb2.Expr, local: Local) -> object:
        """The value of a part that reads nothing; None for the others."""
        if reads(node):
            return None
        result = part(self.program, node)(EPOCH)
        return None if result is None else result.plain_value()


def reads_now(node: syntax_pb2.Expr, local: Local) -> bool:
    """Whether a part reads the time."""
    return "now" in reads(node) and "now" not in local


def reads(node: syntax_pb2.Expr) -> set[str]:
    """The variables and the functions of ours by which a part reads facts; loops have their own."""
    if node.HasField("comprehension_expr"):
        loop = node.comprehension_expr
        inside = (loop.accu_init, loop.loop_condition, loop.loop_step, loop.result)
        own = {loop.iter_var, loop.accu_var}
        return reads(loop.iter_range) | (set().union(*map(reads, inside)) - own)
    found = {node.ident_expr.name} if node.HasField("ident_expr") else set()
    if node.call_expr.function in HISTORY:
        found.add(node.call_expr.function)
    return found.union(*map(reads, children(node)))
