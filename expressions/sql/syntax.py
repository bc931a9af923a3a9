"""The few shapes of SQL that conditions become, as nodes of a syntax tree, never as text.

What the expression brings (names, texts, numbers) enters as `Given`, which is written as $1, $2, …
"""

from sqlglot import exp

from expressions.sql.nodes import Default, Given

Sql = exp.Expression
ATOMS = (
    exp.Anonymous, exp.Boolean, exp.Case, exp.Cast, exp.Coalesce, exp.Column, exp.Exists,
    exp.Literal, exp.Null, exp.Paren, exp.Subquery,
)  # fmt: skip
TYPES = {
    "text": exp.DataType.Type.TEXT,
    "json": exp.DataType.Type.JSONB,
    "number": exp.DataType.Type.DOUBLE,
    "int": exp.DataType.Type.BIGINT,
    "bool": exp.DataType.Type.BOOLEAN,
    "time": exp.DataType.Type.TIMESTAMPTZ,
    "span": exp.DataType.Type.INTERVAL,
    "decimal": exp.DataType.Type.DECIMAL,
}


def true() -> Sql:
    """TRUE."""
    return exp.Boolean(this=True)


def false() -> Sql:
    """FALSE."""
    return exp.Boolean(this=False)


def null() -> Sql:
    """NULL."""
    return exp.Null()


def whole(number: int) -> Sql:
    """A whole number of ours; those of the expression are `Given`."""
    written = exp.Literal.number(abs(number))
    return written if number >= 0 else exp.Paren(this=exp.Neg(this=written))


def word(text: str) -> Sql:
    """A text of ours."""
    return exp.Literal.string(text)


def column(table: str, name: str) -> Sql:
    """A column."""
    return exp.column(name, table=table)


def own(node: Sql) -> Sql:
    """The node as a part of another one: a node has one place, so beyond the first it is a copy."""
    return node if node.parent is None else node.copy()


def closed(node: Sql) -> Sql:
    """The node as a part, in brackets if it could fall apart beside an operator."""
    part = own(node)
    return part if isinstance(part, (*ATOMS, Given, Default)) else exp.Paren(this=part)


def binary(kind: type[Sql], left: Sql, right: Sql) -> Sql:
    """Two operands and the operator between them."""
    return kind(this=closed(left), expression=closed(right))


def divide(left: Sql, right: Sql) -> Sql:
    """`/` as Postgres does it for the types at hand."""
    return exp.Div(this=closed(left), expression=closed(right), typed=True, safe=False)


def call(name: str, *arguments: Sql) -> Sql:
    """A function of Postgres or of the migrations."""
    return exp.Anonymous(this=name, expressions=[own(argument) for argument in arguments])


def cast(node: Sql, kind: str) -> Sql:
    """The value as another type."""
    return exp.Cast(this=own(node), to=exp.DataType(this=TYPES[kind]))


def case(*branches: tuple[Sql, Sql], otherwise: Sql | None = None) -> Sql:
    """CASE WHEN … THEN …"""
    ifs = [exp.If(this=own(condition), true=own(result)) for condition, result in branches]
    return exp.Case(ifs=ifs, default=own(otherwise) if otherwise is not None else None)


def is_true(node: Sql) -> bool:
    """Whether it is the word TRUE."""
    return isinstance(node, exp.Boolean) and bool(node.this)


def is_false(node: Sql) -> bool:
    """Whether it is the word FALSE, or NULL, which counts as no wherever a condition stands."""
    return isinstance(node, exp.Null) or (isinstance(node, exp.Boolean) and not node.this)


def both(*nodes: Sql) -> Sql:
    """All of them."""
    if any(map(is_false, nodes)):
        return false()
    return _joined(exp.And, [node for node in nodes if not is_true(node)], true())


def either(*nodes: Sql) -> Sql:
    """Any of them."""
    if any(map(is_true, nodes)):
        return true()
    return _joined(exp.Or, [node for node in nodes if not is_false(node)], false())


def _joined(kind: type[Sql], nodes: list[Sql], empty: Sql) -> Sql:
    once: list[Sql] = []
    for node in nodes:
        # What is joined already is long, and seldom the same.
        if isinstance(node, exp.Connector) or node not in once:
            once.append(node)
    if not once:
        return empty
    joined = own(once[0]) if isinstance(once[0], kind) or len(once) == 1 else closed(once[0])
    for node in once[1:]:
        joined = kind(this=joined, expression=closed(node))
    return joined


def negated(node: Sql) -> Sql:
    """NOT, of a condition that is never NULL or whose NULL counts as no in both polarities."""
    if isinstance(node, exp.Boolean):
        return exp.Boolean(this=not node.this)
    if isinstance(node, exp.Not):
        inner: Sql = node.this.copy()
        return inner
    return node.copy() if isinstance(node, exp.Null) else exp.Not(this=closed(node))


def is_sure(node: Sql) -> bool:
    """Whether it is never NULL by its shape."""
    if isinstance(node, exp.Paren | exp.Not):
        return is_sure(node.this)
    if isinstance(node, exp.And | exp.Or):
        return is_sure(node.this) and is_sure(node.expression)
    return isinstance(node, exp.Exists | exp.Is)


def conjuncts(node: Sql) -> list[Sql]:
    """The conditions that are all to be met."""
    inner = node.this if isinstance(node, exp.Paren) else node
    if isinstance(inner, exp.And):
        return [*conjuncts(inner.this), *conjuncts(inner.expression)]
    return [inner]


def is_not_true(node: Sql) -> Sql:
    """Whether it is no or NULL."""
    if is_true(node) or is_false(node):
        return false() if is_true(node) else true()
    if is_sure(node):
        return negated(node)
    return exp.Not(this=exp.Is(this=closed(node), expression=true()))


def is_known(node: Sql) -> Sql:
    """IS NOT NULL."""
    if isinstance(node, Given | exp.Literal | exp.Boolean):
        return true()
    return exp.Not(this=exp.Is(this=closed(node), expression=null()))


def by_code(node: Sql) -> Sql:
    """A text that is ordered by code point, whatever the database's collation."""
    code = exp.Identifier(this="C", quoted=True)
    return exp.Collate(this=exp.Paren(this=node.copy()), expression=code)


def among(node: Sql, choices: list[Sql]) -> Sql:
    """IN."""
    return exp.In(this=closed(node), expressions=[choice.copy() for choice in choices])


def tables(node: Sql) -> set[str]:
    """The tables outside the node whose columns it reads."""
    inner = {table.alias_or_name for table in node.find_all(exp.Table, exp.TableAlias)}
    inner |= {alias.alias for alias in node.find_all(exp.Alias)}
    return {found.table for found in node.find_all(exp.Column) if found.table} - inner
