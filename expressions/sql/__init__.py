"""Conditions as SQL: those customers for whom a condition is known to hold, in one statement.

Pure like all of `expressions`: text and values come out, `storage` runs them. Everything that is
accepted means exactly what it means in memory; what SQL cannot say so is refused, with its place.
"""

from functools import lru_cache

from sqlglot import exp

from expressions.condition import condition
from expressions.errors import ExpressionError
from expressions.program import program
from expressions.sql.coercions import truth_of
from expressions.sql.compiler import Compiler
from expressions.sql.containment import contained
from expressions.sql.defaults import settled, used
from expressions.sql.nodes import Dialect
from expressions.sql.query import Query
from expressions.sql.relations import CUSTOMER, table
from expressions.sql.statement import Among, Statement
from expressions.sql.syntax import Sql, binary, both, call, column, is_known, negated

ROOTS = frozenset({"customer", "now"})

__all__ = ["ROOTS", "ExpressionError", "Statement", "compile"]


@lru_cache(maxsize=1_024)
def compile(source: str, *, counts: bool = False, among: bool = False) -> Statement:
    """The statement for those for whom that condition holds; raises ExpressionError.

    With `counts` it gives their number instead, with `among` it asks of given customers only.
    """
    condition(source, roots=ROOTS)  # it must be a condition in the first place
    read = program(source, ROOTS)
    query = Query()
    holds = truth_of(Compiler(read, query).value(read.checked.expr, {})).true()
    tree, bounds = query.bounds.numbered(_statement(query, holds, counts, among))
    return Statement(tree.sql(dialect=Dialect, copy=False), bounds)


def _statement(query: Query, holds: Sql, counts: bool, among: bool) -> Sql:
    id = column(CUSTOMER, "id")
    selected = exp.select(call("count", exp.Star()) if counts else id)
    statement = selected.from_(table("customers", CUSTOMER))
    given = query.bounds.given(Among(), "ids") if among else None
    holds, needed = settled(holds, query.groups.values(), query.bounds.value)
    for group in used(holds, query.groups.values()):
        rows = None if given is None else _any_of(column("r", "customer"), given)
        joined = group.joined(query.bounds, rows)
        matches = binary(exp.EQ, column(group.name, "customer"), id)
        side = None if group.name in needed else "LEFT"
        statement = statement.join(joined, on=matches, join_type=side, copy=False)
    here = [negated(is_known(column(CUSTOMER, name))) for name in ("merged_into", "erased_at")]
    chosen = [] if given is None else [_any_of(id, given)]
    asked = contained(holds, query.bounds)
    return statement.where(both(*chosen, *here, asked), copy=False)


def _any_of(node: Sql, given: Sql) -> Sql:
    return exp.EQ(this=node, expression=exp.Any(this=exp.Paren(this=given.copy())))
