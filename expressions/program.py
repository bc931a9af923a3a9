"""Compiles an expression once and evaluates it over facts, handing CEL only what is read."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import lru_cache

from cel.expr import (  # type: ignore[import-untyped]  # xds-protos ships no types
    checked_pb2,
    syntax_pb2,
)
from cel_expr_python import cel
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import DecodeError

from expressions.checks import check
from expressions.errors import ExpressionError
from expressions.explain import explain
from expressions.facts import Facts, Json, project
from expressions.functions import FUNCTIONS, PRESENT, Present, instant
from expressions.needs import ROOTS, Reading
from expressions.passed import PASSED, give_free, kept
from expressions.tree import ids, read

ALL = ROOTS
LIMIT = 10_000

T = cel.Type
VARIABLES = {
    "customer": T.Map(T.STRING, T.DYN),
    "event": T.Map(T.STRING, T.DYN),
    "entry": T.Map(T.STRING, T.DYN),
    "steps": T.Map(T.STRING, T.Map(T.STRING, T.DYN)),
    "now": T.TIMESTAMP,
}


class Program:
    """A compiled expression. Holds no facts, so one serves all threads and tasks."""

    __slots__ = (
        "_compiled",
        "_past",
        "_reads_facts",
        "_reads_now",
        "_wanted",
        "checked",
        "reading",
        "result",
        "source",
    )

    def __init__(
        self,
        source: str,
        compiled: cel.Expression,
        reading: Reading,
        checked: checked_pb2.CheckedExpr,
    ) -> None:
        self.source = source
        self.checked = checked
        self.reading = reading
        self.result = compiled.return_type().name()
        self._compiled = compiled
        wanted = reading.wanted()
        self._reads_now = "now" in wanted
        self._wanted = tuple((root, keys) for root, keys in wanted.items() if root != "now")
        self._reads_facts = reading.reads_facts
        self._past = reading.past

    def evaluate(self, facts: Facts) -> cel.Value | None:
        """The result, an error among them; None when the facts cannot be put to CEL at all."""
        data: dict[str, object] = {"now": facts.now} if self._reads_now else {}
        for root, keys in self._wanted:
            if (known := facts.root(root)) is not None:
                data[root] = project(known, keys)
        if not self._reads_facts:
            return run(self._compiled, data)
        token = PRESENT.set(Present(facts, self._past))
        try:
            return run(self._compiled, data)
        finally:
            PRESENT.reset(token)


def run(compiled: cel.Expression, data: dict[str, object]) -> cel.Value | None:
    """The result, an error among them; None when the data cannot be put to CEL at all."""
    before = len(PASSED.values)
    try:
        return compiled.eval(data=data)
    except (RuntimeError, ValueError):
        return None
    finally:
        give_free(before)


@lru_cache(maxsize=64)
def _environment(roots: frozenset[str]) -> cel.Env:
    return cel.NewEnv(
        variables={name: kind for name, kind in VARIABLES.items() if name in roots},
        functions=[
            cel.FunctionDecl(
                function.name,
                [
                    cel.Overload(
                        s.id,
                        s.returns,
                        list(s.parameters),
                        False,
                        kept(s.evaluate, len(s.parameters)),
                    )
                    for s in function.signatures
                ],
            )
            for function in FUNCTIONS
        ],
    )


@lru_cache(maxsize=8_192)
def _program(source: str, roots: frozenset[str]) -> Program:
    if len(source) > LIMIT:
        message = f"the expression has {len(source)} characters; {LIMIT} are the limit"
        raise ExpressionError(source, 1, 1, message)
    try:
        compiled = _environment(roots).compile(source)
    except RuntimeError as error:
        raise explain(source, str(error), roots) from error
    checked = checked_pb2.CheckedExpr()
    try:
        Packed.FromString(compiled.serialize()).Unpack(checked)
    except DecodeError as error:
        raise ExpressionError(source, 1, 1, "the expression is nested too deeply") from error
    check(source, checked)
    return Program(source, compiled, read(checked.expr), checked)


def program(source: str, roots: Collection[str] = ALL) -> Program:
    """The program of that text with those variables; raises ExpressionError."""
    return _program(source, frozenset(roots))


def part(of: Program, node: syntax_pb2.Expr) -> Callable[[datetime], cel.Value | None]:
    """A part of an expression that reads `now` and nothing else, as a function; None for errors."""
    checked = checked_pb2.CheckedExpr()
    checked.expr.CopyFrom(node)
    for id in ids(node):
        if id in of.checked.type_map:
            checked.type_map[id].CopyFrom(of.checked.type_map[id])
        if id in of.checked.reference_map:
            checked.reference_map[id].CopyFrom(of.checked.reference_map[id])
    packed = Packed()
    packed.Pack(checked)
    compiled = _environment(frozenset({"now"})).deserialize(packed.SerializeToString())

    def at(now: datetime) -> cel.Value | None:
        result = run(compiled, {"now": instant(now)})
        return None if result is None or result.type().name() == "ERROR" else result

    return at


def plain(value: object) -> Json:
    """A result as JSON: whole doubles as ints, times as text, durations in seconds."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else str(value)
