"""Recognises what CEL expands its macros into: `exists`, `all`, `exists_one`, `filter`, `map`."""

from dataclasses import dataclass
from typing import Literal

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

Name = Literal["exists", "all", "exists_one", "filter", "map"]


@dataclass(frozen=True, slots=True)
class Macro:
    """A loop as it was written: over `items`, each named `variable`."""

    name: Name
    items: syntax_pb2.Expr
    variable: str
    predicate: syntax_pb2.Expr | None
    result: syntax_pb2.Expr | None


def macro(loop: syntax_pb2.Expr.Comprehension) -> Macro:
    """The macro that this loop was."""
    arguments = list(loop.loop_step.call_expr.args)
    name: Name
    predicate, result = None, None
    match loop.accu_init.WhichOneof("expr_kind"), loop.loop_step.call_expr.function:
        case "const_expr", "_||_":
            name, predicate = "exists", arguments[1]
        case "const_expr", "_&&_":
            name, predicate = "all", arguments[1]
        case "const_expr", _:
            name, predicate = "exists_one", arguments[0]
        case _, "_+_":
            name, result = "map", arguments[1].list_expr.elements[0]
        case _:
            name, predicate = "filter", arguments[0]
            added = arguments[1].call_expr.args[1].list_expr.elements[0]
            # `map` with a condition is a filter that gives something else than the item.
            result = None if added.ident_expr.name == loop.iter_var else added
    return Macro(name, loop.iter_range, loop.iter_var, predicate, result)
