"""The statement in the making: the customers, and what is summed up beside them.

Whatever looks at the rows of one list only is summed up once for all customers, in a group that is
joined. What looks further (at attributes, at another list) is asked of each customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from expressions.sql.groups import Group
from expressions.sql.nodes import Default
from expressions.sql.relations import RECEIPT, Found, items_of
from expressions.sql.statement import Bounds, Now
from expressions.sql.syntax import (
    Sql,
    binary,
    both,
    call,
    case,
    either,
    is_known,
    is_not_true,
    is_true,
    negated,
    own,
    tables,
    whole,
)
from expressions.sql.values import Scalar, Value


@dataclass(slots=True)
class Query:
    """What the parts of an expression share."""

    bounds: Bounds = field(default_factory=Bounds)
    groups: dict[str, Group] = field(default_factory=dict)
    aliases: int = 0

    def alias(self) -> str:
        """A name for one more table."""
        self.aliases += 1
        return f"t{self.aliases}"

    def aggregate(
        self, found: Found, value: Sql, extra: Sequence[Sql] = (), default: Sql | None = None
    ) -> Sql:
        """An aggregate over those rows, or `default` where there are none."""
        where = both(*found.where, *extra)
        group = self._group(found, value, where)
        if group is None:
            filtered = self._asked(found, _of_rows(found, value), where)
            if default is None or _counts(value):
                return filtered
            return exp.Coalesce(this=filtered, expressions=[default])
        summed = group.column(found, value, where)
        if default is None:
            return summed
        return Default(this=summed, value=default, counts=_counts(value))

    def count(self, found: Found, *extra: Sql) -> Sql:
        """How many of those rows there are."""
        return self.aggregate(found, call("count", exp.Star()), extra, whole(0))

    def any(self, found: Found, condition: Sql) -> Sql:
        """Whether one of those rows is so."""
        where = both(*found.where, condition)
        if self._group(found, exp.Star(), where) is not None:
            return binary(exp.GT, self.count(found, condition), whole(0))
        return exp.Exists(this=self._asked(found, whole(1), where).this)

    def every(self, found: Found, condition: Sql) -> Sql:
        """Whether none of those rows is otherwise."""
        if is_true(condition):
            return exp.Boolean(this=True)
        return self.none(found, is_not_true(condition))

    def none(self, found: Found, condition: Sql) -> Sql:
        """Whether none of those rows is so."""
        where = both(*found.where, condition)
        if self._group(found, exp.Star(), where) is not None:
            return binary(exp.LTE, self.count(found, condition), whole(0))
        return negated(self.any(found, condition))

    def sound(self, found: Found, *extra: Sql) -> Sql:
        """Whether there is such a list, and no row of it makes it an error."""
        flaw = either(*found.flaws, *extra)
        # A flaw is looked for among all rows, those that a filter leaves out too.
        everything = Found(found.relation, found.item, found.where[: _windows(found)],
                           window=found.window)  # fmt: skip
        whole_list = self.none(everything, flaw) if not _never(flaw) else exp.Boolean(this=True)
        return both(found.exists, whole_list)

    def groups_up(self, found: Found, value: Sql) -> bool:
        """Whether such values of the rows are summed up for all customers at once."""
        return self._group(found, value, both(*found.where)) is not None

    def _group(self, found: Found, value: Sql, where: Sql) -> Group | None:
        relation = found.relation
        if relation.group is None or _looks_further(found, value) or _looks_further(found, where):
            return None
        if relation.group not in self.groups:
            self.groups[relation.group] = Group(f"h{len(self.groups) + 1}", relation)
        return self.groups[relation.group]

    def _asked(self, found: Found, value: Sql, where: Sql) -> Sql:
        """The same of one customer, who is the one of the statement around."""
        relation = found.relation
        conditions = [*relation.named, *relation.rows]
        if relation.group is not None:
            conditions.insert(0, relation.own())
        if found.window is not None and relation.received is not None:
            start = self.bounds.given(Now(found.window), "time")
            conditions.append(binary(exp.GT, relation.at(relation.received), start))
        selected = exp.select(own(value)).from_(relation.source.copy(), copy=False)
        return exp.Subquery(this=selected.where(both(*conditions, where), copy=False))


def _looks_further(found: Found, node: Sql) -> bool:
    """Whether it reads more than a row of that list: of the customer, or other rows of his."""
    if tables(node) - {found.relation.alias}:
        return True
    lists = (one for one in node.find_all(exp.Table) if one.name in {"events", "messages"})
    return any(not one.alias.endswith(RECEIPT) for one in lists)


def _of_rows(found: Found, value: Sql) -> Sql:
    """The aggregate as one of these rows: of values from outside only it would be of theirs."""
    if found.relation.alias in tables(value) or _counts(value):
        return value
    key = is_known(found.relation.at(found.relation.order[0]))
    return call(value.this, *(case((key, argument)) for argument in value.expressions))


def _windows(found: Found) -> int:
    return 1 if found.window is not None else 0


def _never(condition: Sql) -> bool:
    return isinstance(condition, exp.Boolean) and not condition.this


def _counts(value: Sql) -> bool:
    return isinstance(value, exp.Anonymous) and value.this == "count"


def where_sound(sound: Sql, value: Sql) -> Sql:
    """The value of a list that is none of an error."""
    return value if is_true(sound) else case((sound, value))


def listed(query: Query, value: Value, *types: str) -> Value:
    """The list as rows, if it lies in tables or in JSON of these types."""
    if isinstance(value, Scalar) and value.kind == "json":
        return items_of(value, query.alias(), types)
    return value
