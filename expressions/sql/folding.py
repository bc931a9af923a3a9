"""Parts that read nothing but `now` are evaluated by CEL itself, not in SQL.

So constants, regular expressions over them and every function of `now` mean exactly what they mean
in memory; the result is handed over as a value.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite, log10
from uuid import UUID

from cel.expr import (  # type: ignore[import-untyped]  # xds-protos ships no types
    checked_pb2,
    syntax_pb2,
)
from cel_expr_python import cel

from expressions.functions import FUNCTIONS
from expressions.program import Program, part
from expressions.sql.statement import Bounds, Constant, Now
from expressions.sql.syntax import call, whole
from expressions.sql.truth import Fixed, Leaf
from expressions.sql.values import Kind, Nothing, Refused, Scalar, Value
from expressions.tree import children

READS = frozenset(function.name for function in FUNCTIONS if function.names)
FURTHEST = 300
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
LITERALS = {name: name for name in ("bool_value", "int64_value", "double_value", "string_value")}
PRIMITIVES: dict[int, Kind] = {
    checked_pb2.Type.INT64: "int",
    checked_pb2.Type.DOUBLE: "number",
    checked_pb2.Type.STRING: "text",
}
TIMES: dict[int, Kind] = {
    checked_pb2.Type.TIMESTAMP: "time",
    checked_pb2.Type.DURATION: "span",
}


@dataclass(frozen=True, slots=True)
class Computed:
    """A value of a statement that follows from the time at which it is run."""

    of: Callable[[datetime], cel.Value | None]

    def at(self, now: datetime, among: Collection[UUID]) -> object:
        """What CEL says; None when it errs."""
        result = self.of(now)
        return None if result is None else result.plain_value()


@dataclass(frozen=True, slots=True)
class Folding:
    """Evaluates the parts of one expression that need no customer."""

    source: Program
    bounds: Bounds

    def value(self, node: syntax_pb2.Expr, local: Collection[str] = ()) -> Value | None:
        """The part as a value of the statement; None when it must be said in SQL."""
        reads = set(_reads(node, frozenset()))
        if (
            reads - {"now"}
            or reads & set(local)
            or node.WhichOneof("expr_kind") in {"list_expr", "struct_expr"}
        ):
            return None
        if node.ident_expr.name == "now":
            return Scalar("time", self.bounds.given(Now(), "time"))
        return self._now(node) if reads else self._constant(node)

    def _constant(self, node: syntax_pb2.Expr) -> Value | None:
        if (written := LITERALS.get(node.const_expr.WhichOneof("constant_kind"))) is not None:
            return constant(getattr(node.const_expr, written), "DYN", self.bounds)
        result = part(self.source, node)(ANY_TIME)
        if result is None:
            return Nothing()
        answer = result.plain_value()
        if isinstance(answer, list | dict):
            return None
        return constant(answer, result.type().name(), self.bounds)

    def _now(self, node: syntax_pb2.Expr) -> Value | None:
        kind = self.source.checked.type_map[node.id]
        computed = Computed(part(self.source, node))
        if kind.primitive == checked_pb2.Type.BOOL:
            return Leaf(self.bounds.given(computed, "bool"))
        found = PRIMITIVES.get(kind.primitive) or TIMES.get(kind.well_known)
        if found is None:
            return None
        return Scalar(found, self.bounds.given(computed, found), nan=found == "number")


def constant(answer: object, kind: str, bounds: Bounds) -> Value:
    """A value that the expression says."""
    if kind in {"UINT", "BYTES", "TYPE"}:
        raise Refused(f"SQL has no {kind.lower()}", "write numbers without `u`, texts without `b`")
    if answer is None:
        as_json = bounds.given(Constant("null"), "json")
        return Scalar("json", as_json, "null", json=as_json)
    if isinstance(answer, bool):
        return Fixed(answer)
    if isinstance(answer, int | float):
        return _number(answer, bounds)
    if isinstance(answer, str):
        return _text(answer, bounds)
    if isinstance(answer, datetime):
        return Scalar("time", bounds.given(Constant(answer), "time"), answer)
    if isinstance(answer, timedelta):
        # Seconds and no days: a day of Postgres is one of the session's time zone.
        seconds = bounds.given(Constant(answer.total_seconds()), "number")
        return Scalar("span", call("make_interval", *[whole(0)] * 6, seconds), answer)
    raise Refused(f"SQL has nothing for a value of type {kind.lower()}")


def _number(answer: float, bounds: Bounds) -> Scalar:
    if isinstance(answer, int):
        given = bounds.given(Constant(answer), "int")
        as_json = bounds.given(Constant(str(answer)), "json")
        return Scalar("int", given, answer, json=as_json, bounds=(answer, answer))
    given = bounds.given(Constant(answer), "number")
    if not isfinite(answer):
        return Scalar("number", given, answer, nan=answer != answer)
    reach = 0 if answer == 0 else int(abs(log10(abs(answer)))) + 1
    as_json = bounds.given(Constant(json.dumps(answer)), "json")
    return Scalar("number", given, answer, reach if reach < FURTHEST else None, json=as_json)


def _text(answer: str, bounds: Bounds) -> Scalar:
    if "\0" in answer:
        raise Refused("a text of Postgres cannot hold the character \\0")
    as_json = bounds.given(Constant(json.dumps(answer)), "json")
    return Scalar("text", bounds.given(Constant(answer), "text"), answer, json=as_json)


def _reads(node: syntax_pb2.Expr, local: frozenset[str]) -> Iterator[str]:
    """The variables and the functions by which a part reads facts."""
    if node.HasField("ident_expr") and node.ident_expr.name not in local:
        yield node.ident_expr.name
    if node.call_expr.function in READS:
        yield node.call_expr.function
    if node.HasField("comprehension_expr"):
        loop = node.comprehension_expr
        yield from _reads(loop.iter_range, local)
        local |= {loop.iter_var, loop.accu_var}
        for one in (loop.accu_init, loop.loop_condition, loop.loop_step, loop.result):
            yield from _reads(one, local)
        return
    for child in children(node):
        yield from _reads(child, local)
