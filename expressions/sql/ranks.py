"""Values as SQL: what customers are put in order by, as one statement for all of them.

Unlike a condition, a value has a kind: what has no order, or not one, is refused with its place.
"""

from functools import lru_cache

from sqlglot import exp

from expressions.checks import error_at
from expressions.condition import value
from expressions.errors import ExpressionError
from expressions.program import program
from expressions.sql.coercions import number_in, single
from expressions.sql.compiler import Compiler
from expressions.sql.defaults import settled, used
from expressions.sql.nodes import Dialect
from expressions.sql.query import Query
from expressions.sql.relations import CUSTOMER, table
from expressions.sql.statement import Statement
from expressions.sql.syntax import Sql, binary, by_code, call, case, cast, column, whole, word
from expressions.sql.truth import Truth
from expressions.sql.values import Choice, Nothing, Refused, Scalar, Value, each

ROOTS = frozenset({"customer", "now"})
UNORDERED = "this has no order: it is a list, a map or an event"
HINT = "rank by a number, a text, a time or a yes-or-no, like sum(…) or events(…).size()"


@lru_cache(maxsize=256)
def compile_value(source: str, *, first: int = 1) -> Statement:
    """The statement for `id` and `value` of everybody, NULL where it is unknown.

    `first` is the number of its first parameter. Raises ExpressionError.
    """
    value(source, roots=ROOTS)  # it must be a value in the first place
    read = program(source, ROOTS)
    query = Query()
    root = read.checked.expr
    try:
        rank = ranked(Compiler(read, query).value(root, {}))
    except Refused as refused:
        raise error_at(source, read.checked, root.id, refused.message, refused.hint) from refused
    tree, bounds = query.bounds.numbered(_statement(query, rank), first)
    return Statement(tree.sql(dialect=Dialect, copy=False), bounds)


def ranked(found: Value) -> Sql:
    """What Postgres can put in order as CEL does: false before true, texts letter by letter."""
    if isinstance(found, Truth):
        return case((found.true(), whole(1)), (found.false(), whole(0)))
    if isinstance(found, Nothing):
        raise Refused("this is unknown for everybody", "rank by something that customers have")
    one = single(found)
    if one is None and isinstance(found, Choice):
        one = single(each(found, as_number))
    if one is None:
        raise Refused(UNORDERED, HINT)
    if one.kind == "text":
        return by_code(one.sql)
    if one.kind == "number" and one.nan:
        return call("nullif", one.sql, cast(word("NaN"), "number"))
    return one.sql


def as_number(found: Value) -> Value:
    """A branch as a number, so that whole ones and those in data have one order."""
    if isinstance(found, Nothing):
        return found
    if isinstance(found, Scalar) and found.kind == "json":
        return Scalar("number", number_in(found.sql))
    if isinstance(found, Scalar) and found.kind in {"int", "number"}:
        return Scalar("number", cast(found.sql, "number"), nan=found.nan)
    raise Refused(
        "its branches give values of different kinds, which have no order",
        "let all branches give numbers, or all texts, or all times",
    )


def _statement(query: Query, rank: Sql) -> Sql:
    """Whoever lacks a row of a group that is needed is left out, as whose value is unknown."""
    id = column(CUSTOMER, "id")
    rank, needed = settled(rank, query.groups.values(), query.bounds.value)
    statement = exp.select(id, exp.alias_(rank, "value")).from_(table("customers", CUSTOMER))
    for group in used(rank, query.groups.values()):
        matches = binary(exp.EQ, column(group.name, "customer"), id)
        side = None if group.name in needed else "LEFT"
        statement = statement.join(
            group.joined(query.bounds, None), on=matches, join_type=side, copy=False
        )
    return statement


__all__ = ["ExpressionError", "compile_value"]
