"""What compiles but could never be judged: refused while the author is still looking at it."""

from collections.abc import Iterator

from cel.expr import (  # type: ignore[import-untyped]  # xds-protos ships no types
    checked_pb2,
    syntax_pb2,
)

from expressions.errors import ExpressionError
from expressions.functions import FUNCTIONS
from expressions.tree import children

NAMING = {function.name: function for function in FUNCTIONS if function.names}
ARITHMETIC = {"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%"}


def check(source: str, checked: checked_pb2.CheckedExpr) -> None:
    """Raises for the first node that can have no value whatever the facts are."""
    for node in _nodes(checked.expr):
        _check_names(source, checked, node)
        if node.call_expr.function in ARITHMETIC:
            _check_arithmetic(source, checked, node)


def _check_names(source: str, checked: checked_pb2.CheckedExpr, node: syntax_pb2.Expr) -> None:
    """What is looked up before an expression is judged must be known from its text."""
    function = NAMING.get(node.call_expr.function)
    if function is None:
        return
    for argument, what in zip(node.call_expr.args, function.names, strict=False):
        if not _is_text(argument):
            message = f"the name of the {what} must be written out"
            hint = f"write {function.usage}; a computed name cannot be looked up in advance"
            raise error_at(source, checked, argument.id, message, hint)


def _check_arithmetic(source: str, checked: checked_pb2.CheckedExpr, node: syntax_pb2.Expr) -> None:
    operator = ARITHMETIC[node.call_expr.function]
    kinds = [_kind(checked, argument) for argument in node.call_expr.args]
    if sorted(kinds) != ["dyn", "int"]:
        return
    hint = "write the whole number with a decimal point, like 1.0, or use double(…)"
    if operator == "%":
        hint = "write int(…) around the value from the data"
    message = f"`{operator}` never works here: numbers in data are doubles, the other one is an int"
    raise error_at(source, checked, node.id, message, hint)


def _kind(checked: checked_pb2.CheckedExpr, node: syntax_pb2.Expr) -> str:
    kind = checked.type_map[node.id]
    if kind.HasField("dyn"):
        return "dyn"
    return "int" if kind.primitive == checked_pb2.Type.INT64 else "other"


def _is_text(node: syntax_pb2.Expr) -> bool:
    return bool(node.const_expr.HasField("string_value"))


def _nodes(node: syntax_pb2.Expr) -> Iterator[syntax_pb2.Expr]:
    yield node
    for child in children(node):
        yield from _nodes(child)


def error_at(
    source: str, checked: checked_pb2.CheckedExpr, node: int, message: str, hint: str | None
) -> ExpressionError:
    """An error at the place where that node stands."""
    before = source[: checked.source_info.positions[node]]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return ExpressionError(source, line, column, message, hint)
