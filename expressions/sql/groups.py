"""What is summed up for all customers at once: one grouped subquery for each list, joined once."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlglot import exp

from expressions.sql.layers import ROW, layered
from expressions.sql.relations import Found, Relation
from expressions.sql.statement import Bounds, Now
from expressions.sql.syntax import (
    Sql,
    binary,
    both,
    call,
    column,
    conjuncts,
    either,
    is_known,
    is_true,
    whole,
)


@dataclass(frozen=True, slots=True)
class Column:
    """One aggregate of a group, over those of its rows that meet all of `filters`."""

    value: Sql
    named: tuple[Sql, ...]
    filters: tuple[Sql, ...]
    window: timedelta | None

    def written(self, known: list[Sql]) -> Sql:
        """The aggregate, without the filters that all rows meet anyway."""
        filters = [one for one in (*self.named, *self.filters) if one not in known]
        value = self._filtered(both(*filters))
        # Of a customer who has rows, but none of these, the sum is nothing all the same.
        is_sum = isinstance(self.value, exp.Anonymous) and self.value.this == "sum"
        return exp.Coalesce(this=value, expressions=[whole(0)]) if is_sum else value

    def _filtered(self, condition: Sql) -> Sql:
        if is_true(condition):
            return self.value.copy()
        where = exp.Where(this=condition)
        if isinstance(self.value, exp.Bracket):
            bracket = self.value.copy()
            inner = bracket.this.this
            bracket.set("this", exp.Paren(this=exp.Filter(this=inner.copy(), expression=where)))
            return bracket
        return exp.Filter(this=self.value.copy(), expression=where)


@dataclass(slots=True)
class Group:
    """One subquery, under the name by which its columns are read."""

    name: str
    relation: Relation
    columns: dict[Column, str] = field(default_factory=dict)

    def column(self, found: Found, value: Sql, where: Sql) -> Sql:
        """The aggregate as a column of the group, the same one when asked for again."""
        parts = conjuncts(where)
        filters = tuple(_renamed(part, found.relation) for part in parts if not is_true(part))
        named = tuple(_renamed(part, found.relation) for part in found.relation.named)
        made = Column(_renamed(value, found.relation), named, filters, found.window)
        return column(self.name, self.columns.setdefault(made, f"a{len(self.columns) + 1}"))

    def keep(self, names: set[str]) -> None:
        """Leave out the other columns."""
        self.columns = {one: name for one, name in self.columns.items() if name in names}

    def joined(self, bounds: Bounds, among: Sql | None) -> Sql:
        """The subquery."""
        relation = self.relation
        customer = column(ROW, "customer")
        rows = [_renamed(one, relation) for one in relation.rows]
        first, *others = ((*one.named, *one.filters) for one in self.columns)
        shared = [one for one in first if all(one in other for other in others)]
        rows.append(either(*(both(*one.named) for one in self.columns)))
        rows += [one for one in shared if one not in rows]
        rows += self._since(bounds)
        rows.append(among.copy() if among is not None else is_known(customer))
        values = [exp.alias_(one.written(shared), name) for one, name in self.columns.items()]
        selected = exp.select(customer, *values)
        selected = layered(selected, _renamed_table(relation), both(*rows))
        return selected.group_by(customer, copy=False).subquery(self.name)

    def _since(self, bounds: Bounds) -> list[Sql]:
        """The widest of the windows, where every column has one: older rows are not read."""
        windows = [one.window for one in self.columns if one.window is not None]
        if len(windows) < len(self.columns) or self.relation.time is None:
            return []
        start = bounds.given(Now(max(windows)), "time")
        times = [self.relation.time, self.relation.received]
        return [binary(exp.GT, column(ROW, name), start) for name in times if name is not None]


def _renamed(node: Sql, relation: Relation) -> Sql:
    """The node, with the one name that the subquery has for its rows."""

    def rename(part: Sql) -> Sql:
        if isinstance(part, exp.Column) and part.table == relation.alias:
            return column(ROW, part.name)
        return part

    return node.transform(rename)


def _renamed_table(relation: Relation) -> Sql:
    source = relation.source.copy()
    source.set("alias", exp.TableAlias(this=exp.to_identifier(ROW)))
    return source


def array_at(value: Sql, order: list[Sql], position: int, *, descending: bool) -> Sql:
    """The value of the row at a position, counted from one."""
    keys = [exp.Ordered(this=key.copy(), desc=descending) for key in order]
    listed = call("array_agg", exp.Order(this=value.copy(), expressions=keys))
    return exp.Bracket(
        this=exp.Paren(this=listed), expressions=[exp.Literal.number(position)], offset=1
    )
