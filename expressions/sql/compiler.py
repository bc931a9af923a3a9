"""Walks a checked condition and says each part of it in SQL, or refuses it with its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.checks import error_at
from expressions.program import Program
from expressions.sql.folding import Folding
from expressions.sql.functions import FUNCTIONS
from expressions.sql.loops import Loops
from expressions.sql.macros import macro
from expressions.sql.paths import Paths
from expressions.sql.query import Query
from expressions.sql.readings import READINGS
from expressions.sql.relations import CUSTOMER
from expressions.sql.rows import MessageRow, PastEventRow
from expressions.sql.sizes import Sizes
from expressions.sql.syntax import Sql, column
from expressions.sql.values import Entries, Items, Refused, Scalar, Value

Local = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles the parts of one expression into one query."""

    source: Program
    query: Query
    sizes: Sizes = field(default_factory=Sizes)

    def value(self, node: syntax_pb2.Expr, local: Local) -> Value:
        """The part in SQL; the innermost one that cannot be is the one that is named."""
        try:
            folded = Folding(self.source, self.query.bounds).value(node, local)
            value = self._value(node, local) if folded is None else folded
            self.sizes.check(value)
            return value
        except Refused as refused:
            raise error_at(
                self.source.source, self.source.checked, node.id, refused.message, refused.hint
            ) from refused

    def _value(self, node: syntax_pb2.Expr, local: Local) -> Value:
        match node.WhichOneof("expr_kind"):
            case "ident_expr":
                return self._name(node.ident_expr.name, local)
            case "select_expr":
                return self._select(node.select_expr, local)
            case "call_expr":
                return self._call(node.call_expr, local)
            case "list_expr":
                return Items(tuple(self.value(one, local) for one in node.list_expr.elements))
            case "comprehension_expr":
                return self._loop(node.comprehension_expr, local)
        return self._map(node.struct_expr, local)

    def _name(self, name: str, local: Local) -> Value:
        if name in local:
            return local[name]
        if name == "customer":
            return Scalar("json", column(CUSTOMER, "attributes"))
        raise Refused(f"`{name}` has no meaning in SQL")

    def _select(self, select: syntax_pb2.Expr.Select, local: Local) -> Value:
        operand = self.value(select.operand, local)
        paths = Paths(self.query)
        of = paths.has if select.test_only else paths.field
        return of(operand, select.field)

    def _map(self, struct: syntax_pb2.Expr.CreateStruct, local: Local) -> Value:
        if struct.message_name:
            raise Refused("messages of protobuf have no place in SQL")
        pairs = ((entry.map_key, entry.value) for entry in struct.entries)
        return Entries(
            tuple((self.value(key, local), self.value(value, local)) for key, value in pairs)
        )

    def _call(self, asked: syntax_pb2.Expr.Call, local: Local) -> Value:
        arguments = [*([asked.target] if asked.HasField("target") else []), *asked.args]
        values = [self.value(argument, local) for argument in arguments]
        if asked.function in READINGS:
            return READINGS[asked.function](self.query, values, _owner(local))
        if asked.function in FUNCTIONS:
            return FUNCTIONS[asked.function](self.query, values)
        raise Refused(f"`{asked.function.strip('_')}` is not possible in SQL")

    def _loop(self, loop: syntax_pb2.Expr.Comprehension, local: Local) -> Value:
        found = macro(loop)
        bodies = [
            None if part is None else self._body(part, found.variable, local)
            for part in (found.predicate, found.result)
        ]
        return Loops(self.query).loop(found.name, self.value(found.items, local), *bodies)

    def _body(self, node: syntax_pb2.Expr, variable: str, local: Local) -> Callable[[Value], Value]:
        return lambda item: self.value(node, {**local, variable: item})


def _owner(local: Local) -> Sql:
    """The customer as the innermost loop over rows of one knows him."""
    rows = [one for one in local.values() if isinstance(one, PastEventRow | MessageRow)]
    return rows[-1].relation.at("customer") if rows else column(CUSTOMER, "id")
