"""Parts of maps and lists: `customer.plan`, `has(customer.plan)`, `customer.tags[0]`."""

from dataclasses import dataclass

from sqlglot import exp

from expressions.sql.coercions import is_type
from expressions.sql.nodes import Arrow
from expressions.sql.places import Places
from expressions.sql.query import Query
from expressions.sql.relations import CUSTOMER, Found
from expressions.sql.statement import Constant
from expressions.sql.syntax import Sql, binary, both, call, column, is_known
from expressions.sql.truth import Fixed, Leaf, Split, Truth
from expressions.sql.values import (
    Entries,
    Items,
    Nothing,
    Record,
    Refused,
    Scalar,
    Value,
    each,
    judged,
)

WRITTEN = "a map that is written out cannot be looked into in SQL"


@dataclass(frozen=True, slots=True)
class Paths:
    """The ways into values, in one query; names are handed over as values like all else."""

    query: Query

    def field(self, value: Value, name: str) -> Value:
        """What lies under a name."""

        def of(value: Value) -> Value:
            if isinstance(value, Record):
                return value.select(name)
            if isinstance(value, Scalar) and value.kind == "json":
                return Scalar("json", self._below(value.sql, name))
            if isinstance(value, Entries):
                raise Refused(WRITTEN)
            return Nothing()

        return each(value, of)

    def has(self, value: Value, name: str) -> Truth:
        """Whether something lies there; asked of what is no map it is an error."""

        def of(value: Value) -> Truth:
            if isinstance(value, Record):
                return value.has(name)
            if isinstance(value, Scalar) and value.kind == "json":
                known = is_known(self._below(value.sql, name))
                if value.sql == column(CUSTOMER, "attributes"):
                    return Leaf(known, sure=True)
                is_map = is_type(value.sql, "object")
                return Split(known, both(is_map, exp.Not(this=exp.Paren(this=known.copy()))))
            if isinstance(value, Entries):
                raise Refused(WRITTEN)
            return Fixed(None)

        return judged(value, of)

    def index(self, value: Value, index: Value) -> Value:
        """What lies at a place."""
        constant = index.constant if isinstance(index, Scalar) else None
        if isinstance(index, Scalar) and index.kind == "text" and isinstance(constant, str):
            return self.field(value, constant)
        if isinstance(value, Found | Items) and isinstance(constant, int):
            return Places(self.query).place(value, constant) if constant >= 0 else Nothing()
        if isinstance(value, Scalar) and value.kind == "json":
            return each(index, lambda one: _at(value, one))
        if isinstance(value, Nothing):
            return value
        raise Refused("the place in a list, the name of a property must be written out in SQL")

    def _below(self, json: Sql, name: str) -> Sql:
        return binary(Arrow, json, self.query.bounds.given(Constant(name), "text"))


def _at(value: Scalar, index: Value) -> Value:
    if not isinstance(index, Scalar) or index.kind in {"time", "span"}:
        return Nothing()
    asked = index.json or (index.sql if index.kind == "json" else call("to_jsonb", index.sql))
    return Scalar("json", call("condition_at", value.sql, asked))
