"""What is dear to find in a row is found once, in subqueries below all that looks at it.

Postgres works out every mention of it anew, and functions in SQL mention their arguments often.
"""

from collections.abc import Callable, Iterable

from sqlglot import exp

from expressions.sql.nodes import Arrow
from expressions.sql.syntax import Sql, column, is_true

ROW = "r"  # every subquery has one table, and this is its name

# From the inside out: a property, the number that it is, that number in hundredths.
DEAR: dict[str, Callable[[Sql], bool]] = {
    "p": lambda node: isinstance(node, Arrow) and node.this == column(ROW, "properties"),
    "n": lambda node: isinstance(node, exp.Anonymous) and node.this == "condition_number",
    "h": lambda node: isinstance(node, exp.Anonymous) and node.this == "condition_hundredths",
}


def layered(selected: exp.Select, source: Sql, rows: Sql) -> exp.Select:
    """The columns, FROM a table WHERE its rows are so."""
    layers = [taken for letter in DEAR if (taken := _taken_out(selected, letter))]
    kept, read = [], _columns([selected])
    for taken in reversed(layers):
        kept.append(sorted(read.difference(taken)))
        read = _columns(taken.values()).union(kept[-1])
    for taken, names in zip(layers, reversed(kept), strict=True):
        columns = [column(ROW, name) for name in names]
        inner = exp.select(*columns, *(exp.alias_(node, name) for name, node in taken.items()))
        # OFFSET keeps Postgres from writing it out again wherever it is read.
        source = _from(inner, source, rows).offset(0, copy=False).subquery(ROW)
        rows = exp.Boolean(this=True)
    return _from(selected, source, rows)


def _taken_out(selected: exp.Select, letter: str) -> dict[str, Sql]:
    """What is dear in that way, by the names of the columns that take its place."""
    names: dict[Sql, str] = {}
    for node in [one for one in selected.find_all(Arrow, exp.Anonymous) if DEAR[letter](one)]:
        name = names.setdefault(node.copy(), f"{letter}{len(names) + 1}")
        node.replace(column(ROW, name))
    return {name: node for node, name in names.items()}


def _columns(nodes: Iterable[Sql]) -> set[str]:
    """Those of the row that are read."""
    read = (one for node in nodes for one in node.find_all(exp.Column))
    return {one.name for one in read if one.table == ROW}


def _from(selected: exp.Select, source: Sql, rows: Sql) -> exp.Select:
    selected = selected.from_(source, copy=False)
    return selected if is_true(rows) else selected.where(rows, copy=False)
