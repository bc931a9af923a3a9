"""Where the times in an expression come from: which attributes, which events, which messages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.facts import Facts
from expressions.program import program
from expressions.tree import is_call

ANY = "*"  # each item of a list, whatever its place
LISTED = ("first", "last", "min", "max")


@dataclass(frozen=True, slots=True)
class Origin:
    """A path below the customer's attributes, the events of a name, or the messages."""

    root: str
    name: str = ""
    path: tuple[str, ...] = ()

    def below(self, segment: str) -> "Origin":
        """What lies there."""
        return Origin(self.root, self.name, (*self.path, segment))


Origins: TypeAlias = frozenset[Origin]
Local: TypeAlias = Mapping[str, "Origins | None"]


def origins(node: syntax_pb2.Expr, local: Local) -> Origins | None:
    """Where the value of a part may come from; None when that cannot be told."""
    if node.HasField("ident_expr"):
        name = node.ident_expr.name
        return local[name] if name in local else _attributes(name)
    if node.HasField("select_expr") and not node.select_expr.test_only:
        return _below(origins(node.select_expr.operand, local), node.select_expr.field)
    call = node.call_expr
    if call.function in LISTED:
        return items(call.args[0], local)
    match call.function:
        case "timestamp":
            return origins(call.args[0], local)
        case "_?_:_":
            return _all(origins(one, local) for one in call.args[1:])
        case "_[_]" if call.args[1].const_expr.HasField("string_value"):
            return _below(origins(call.args[0], local), call.args[1].const_expr.string_value)
        case "_[_]":
            return items(call.args[0], local)
    return None


def items(node: syntax_pb2.Expr, local: Local) -> Origins | None:
    """Where the items of a list may come from."""
    if is_call(node, "events"):
        return frozenset({Origin("events", node.call_expr.args[0].const_expr.string_value)})
    if is_call(node, "messages"):
        return frozenset({Origin("messages")})
    if node.HasField("list_expr"):
        return _all(origins(one, local) for one in node.list_expr.elements)
    if is_call(node, "_?_:_"):
        return _all(items(one, local) for one in node.call_expr.args[1:])
    if node.HasField("comprehension_expr"):
        return _made(node.comprehension_expr, local)
    return _below(origins(node, local), ANY)


def _made(loop: syntax_pb2.Expr.Comprehension, local: Local) -> Origins | None:
    """What a filter leaves, what a map makes: the last list that is added in a step."""
    inside = {**local, loop.iter_var: items(loop.iter_range, local)}
    step = loop.loop_step
    if is_call(step, "_?_:_"):
        step = step.call_expr.args[1]
    if not is_call(step, "_+_") or not step.call_expr.args[1].HasField("list_expr"):
        return None
    return origins(step.call_expr.args[1].list_expr.elements[0], inside)


def _attributes(name: str) -> Origins | None:
    return frozenset({Origin("customer")}) if name == "customer" else None


def _below(found: Origins | None, segment: str) -> Origins | None:
    return None if found is None else frozenset(one.below(segment) for one in found)


def _all(found: Iterable[Origins | None]) -> Origins | None:
    parts = list(found)
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


def times(found: Origins, facts: Facts) -> Iterator[datetime]:
    """All times that values from there may be."""
    for origin in found:
        for value in _values(origin, facts):
            if isinstance(value, datetime):
                yield value
            elif isinstance(value, str) and (parsed := parse(value)) is not None:
                yield parsed


def _values(origin: Origin, facts: Facts) -> list[object]:
    found: list[object] = [facts.customer]
    if origin.root == "events":
        past = facts.history.get(origin.name, ())
        found = [{**one.properties, "occurred_at": one.occurred_at} for one in past]
    elif origin.root == "messages":
        found = [{"at": one.at} for one in facts.messages or ()]
    for segment in origin.path:
        found = [below for value in found for below in _step(value, segment)]
    return found


def _step(value: object, segment: str) -> Iterator[object]:
    if segment == ANY and isinstance(value, Mapping | list | tuple):
        yield from value
        if isinstance(value, Mapping):
            yield from value.values()
    elif isinstance(value, Mapping) and segment in value:
        yield value[segment]


@lru_cache(maxsize=4_096)
def parse(text: str) -> datetime | None:
    """A text as CEL reads times."""
    read = program("timestamp(customer.t)", {"customer"}).evaluate(
        Facts(datetime.min.replace(tzinfo=UTC), customer={"t": text})
    )
    if read is None or read.type().name() == "ERROR":
        return None
    found = read.plain_value()
    return found if isinstance(found, datetime) else None
