"""Walks a checked syntax tree and finds what the expression reads.

Says nothing about whether the expression is sensible; that is `checks`.
"""

from collections.abc import Iterator

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.functions import FUNCTIONS
from expressions.needs import EVERYTHING, ROOTS, Path, Reading, with_path

SHOWN = frozenset(function.name for function in FUNCTIONS if function.shown)
READS = frozenset(function.name for function in FUNCTIONS if function.names)


def read(expression: syntax_pb2.Expr) -> Reading:
    """Walks the whole tree once."""
    reading = Reading()
    _walk(expression, frozenset(), reading)
    return reading


def _walk(node: syntax_pb2.Expr, local: frozenset[str], reading: Reading) -> None:
    path, keys = _selection(node)
    if path is not None:
        _note(path, local, reading)
        for key in keys:
            _walk(key, local, reading)
        return
    match node.WhichOneof("expr_kind"):
        case "call_expr":
            _walk_call(node, local, reading)
        case "comprehension_expr":
            _walk_comprehension(node.comprehension_expr, local, reading)
        case _:
            for child in children(node):
                _walk(child, local, reading)


def _note(path: Path, local: frozenset[str], reading: Reading) -> None:
    if path.root in local:
        reading.past = with_path(reading.past, path.segments)
    elif path.root in ROOTS:
        reading.paths[path] = None


def _walk_call(node: syntax_pb2.Expr, local: frozenset[str], reading: Reading) -> None:
    call = node.call_expr
    if call.function in SHOWN and not local:
        reading.calls[node.id] = call.function
    if call.function in READS:
        _note_call(call, reading)
    elif call.function == "size" and (counted := _counted(call)) is not None:
        _walk_kept(counted, local, reading)
        return
    for child in children(node):
        _walk(child, local, reading)


def _note_call(call: syntax_pb2.Expr.Call, reading: Reading) -> None:
    """A call of ours that reads facts, by names that are written out."""
    reading.reads_facts = True
    name = call.args[0].const_expr.string_value if call.args else EVERYTHING
    match call.function:
        case "events":
            reading.past = None
            reading.events.add(name)
        case "in_audience":
            reading.audiences.add(name)
        case "messages":
            reading.messages.add(name)
        case "subscribed":
            reading.subscriptions = True


def _walk_comprehension(
    loop: syntax_pb2.Expr.Comprehension, local: frozenset[str], reading: Reading
) -> None:
    _walk_kept(loop.iter_range, local, reading)
    inside = local | {loop.iter_var}
    for part in (loop.accu_init, loop.loop_condition, loop.loop_step, loop.result):
        _walk(part, inside, reading)


def _walk_kept(node: syntax_pb2.Expr, local: frozenset[str], reading: Reading) -> None:
    """Walks a place that looks at no property itself: a loop's list, something counted."""
    before = reading.past
    _walk(node, local, reading)
    if is_call(node, "events"):
        reading.past = before


def _counted(call: syntax_pb2.Expr.Call) -> syntax_pb2.Expr | None:
    if call.HasField("target"):
        return call.target
    return call.args[0] if call.args else None


def _selection(node: syntax_pb2.Expr) -> tuple[Path | None, tuple[syntax_pb2.Expr, ...]]:
    """The longest selection that ends here, and the computed keys that follow it."""
    if node.HasField("ident_expr"):
        return Path(node.ident_expr.name, ()), ()
    if node.HasField("select_expr"):
        select = node.select_expr
        path, keys = _selection(select.operand)
        if path is None or keys:
            return path, keys
        return Path(path.root, (*path.segments, select.field), select.test_only), ()
    if is_call(node, "_[_]"):
        target, key = node.call_expr.args
        path, keys = _selection(target)
        if path is None or keys or not key.const_expr.HasField("string_value"):
            return path, (*keys, key)
        return Path(path.root, (*path.segments, key.const_expr.string_value)), ()
    return None, ()


def ids(node: syntax_pb2.Expr) -> Iterator[int]:
    """The ids of the node and of all below."""
    yield node.id
    for child in children(node):
        yield from ids(child)


def spelled(node: syntax_pb2.Expr) -> bytes:
    """A part as it could stand anywhere: the same for every place where it is written."""
    copy = syntax_pb2.Expr()
    copy.CopyFrom(node)
    _forget_ids(copy)
    found: bytes = copy.SerializeToString(deterministic=True)
    return found


def _forget_ids(node: syntax_pb2.Expr) -> None:
    node.id = 0
    for child in children(node):
        _forget_ids(child)


def is_call(node: syntax_pb2.Expr, function: str) -> bool:
    """Whether the node calls that function."""
    return bool(node.call_expr.function == function)


def children(node: syntax_pb2.Expr) -> Iterator[syntax_pb2.Expr]:
    """The nodes directly below, in the order of the text."""
    kind = node.WhichOneof("expr_kind")
    if kind == "select_expr":
        yield node.select_expr.operand
    elif kind == "call_expr":
        yield from [node.call_expr.target] * node.call_expr.HasField("target")
        yield from node.call_expr.args
    elif kind == "list_expr":
        yield from node.list_expr.elements
    elif kind == "struct_expr":
        for entry in node.struct_expr.entries:
            yield from (entry.map_key, entry.value)
    elif kind == "comprehension_expr":
        loop = node.comprehension_expr
        yield from (loop.iter_range, loop.accu_init)
        yield from (loop.loop_condition, loop.loop_step, loop.result)
