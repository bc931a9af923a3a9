"""Which groups a customer must be in for a condition to hold at all.

Where nobody without a row in a group can be meant, the group is joined plainly, and Postgres may
begin with the few who have one. So it must be seen what a condition says of those without.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from sqlglot import exp

from expressions.sql.groups import Group
from expressions.sql.nodes import Default
from expressions.sql.syntax import Sql, conjuncts


@dataclass(frozen=True, slots=True)
class Reach:
    """The numbers that it may be."""

    low: float
    high: float


OPEN = Reach(-inf, inf)  # it depends on more than the group
# Of two numbers: what makes the comparison false for all, and what makes it true for all.
COMPARISONS: dict[type[Sql], Callable[[Reach, Reach], tuple[bool, bool]]] = {
    exp.EQ: lambda a, b: (a.high < b.low or b.high < a.low, a.low == a.high == b.low == b.high),
    exp.NEQ: lambda a, b: (a.low == a.high == b.low == b.high, a.high < b.low or b.high < a.low),
    exp.LT: lambda a, b: (a.low >= b.high, a.high < b.low),
    exp.LTE: lambda a, b: (a.low > b.high, a.high <= b.low),
    exp.GT: lambda a, b: (a.high <= b.low, a.low > b.high),
    exp.GTE: lambda a, b: (a.high < b.low, a.low >= b.high),
}
Verdict = bool | Reach | None


def used(holds: Sql, groups: Iterable[Group]) -> list[Group]:
    """The groups that the condition reads, with those of their columns that it reads."""
    read = {(one.table, one.name) for one in holds.find_all(exp.Column)}
    for group in groups:
        group.keep({name for table, name in read if table == group.name})
    return [group for group in groups if group.columns]


def settled(
    holds: Sql, groups: Iterable[Group], values: Callable[[Sql], object]
) -> tuple[Sql, set[str]]:
    """The condition without defaults that nobody needs, and the names of the groups needed."""
    parts = conjuncts(holds)
    needed = {
        group.name
        for group in groups
        if any(Without(group.name, values).of(part) in {False, None} for part in parts)
    }

    def settle(node: Sql) -> Sql:
        if not isinstance(node, Default):
            return node
        summed: Sql = node.this
        if node.this.table in needed:
            return summed
        return exp.Coalesce(this=node.this, expressions=[node.args["value"]])

    tree: Sql = holds.transform(settle)
    return tree, needed


@dataclass(frozen=True, slots=True)
class Without:
    """What parts of a condition are for those without a row in a group: None stands for NULL."""

    group: str
    values: Callable[[Sql], object]

    def of(self, node: Sql) -> Verdict:
        """True, False, NULL or the numbers that it may be."""
        if isinstance(node, exp.Paren):
            return self.of(node.this)
        if isinstance(node, exp.And | exp.Or):
            return self._joined(isinstance(node, exp.Or), node)
        if isinstance(node, exp.Not):
            inner = self.of(node.this)
            return not inner if isinstance(inner, bool) else inner
        return self._compared(node) if type(node) in COMPARISONS else self._number(node)

    def _number(self, node: Sql) -> Verdict:
        """A number, or NULL."""
        match node:
            case Default() if node.this.table == self.group:
                return self.of(node.args["value"])
            case Default():
                return Reach(0, inf) if node.args.get("counts") else OPEN
            case exp.Column():
                return None if node.table == self.group else OPEN
            case exp.Anonymous(this="condition_double"):
                return self.of(node.expressions[0])
            case exp.Mul() | exp.Add():
                return self._computed(isinstance(node, exp.Mul), node)
        found = self.values(node)
        return Reach(found, found) if isinstance(found, int | float) else OPEN

    def _joined(self, decides: bool, node: Sql) -> Verdict:
        sides = [self.of(node.this), self.of(node.expression)]
        if any(side is decides for side in sides):
            return decides
        if any(isinstance(side, Reach) for side in sides):
            return OPEN
        return None if None in sides else not decides

    def _compared(self, node: Sql) -> Verdict:
        left, right = self.of(node.this), self.of(node.expression)
        if left is None or right is None:
            return None
        if isinstance(left, bool) or isinstance(right, bool):
            return OPEN
        never, always = COMPARISONS[type(node)](left, right)
        return False if never else True if always else OPEN

    def _computed(self, times: bool, node: Sql) -> Verdict:
        """Of numbers that are not negative."""
        left, right = self.of(node.this), self.of(node.expression)
        if not isinstance(left, Reach) or not isinstance(right, Reach):
            return OPEN
        if min(left.low, right.low) < 0:
            return OPEN
        if times:
            high = 0 if 0 in {left.high, right.high} else left.high * right.high
            return Reach(left.low * right.low, high)
        return Reach(left.low + right.low, left.high + right.high)
