"""How much SQL a value would become: some forms say their parts twice, and nested they explode."""

from dataclasses import dataclass, field

from expressions.sql.syntax import Sql
from expressions.sql.truth import And, If, Leaf, Not, Split
from expressions.sql.values import Choice, Refused, Scalar, Value

MOST = 20_000  # nodes


@dataclass(slots=True)
class Sizes:
    """What was measured before; the values are kept, so that no other takes their place."""

    known: dict[int, tuple[object, int]] = field(default_factory=dict)

    def check(self, value: Value) -> None:
        """Refuses what would become too much."""
        if self.of(value) > MOST:
            raise Refused("this is too intricate for SQL", "ask for less at once")

    def of(self, value: object) -> int:
        """About how many nodes it would become."""
        if id(value) not in self.known:
            self.known[id(value)] = (value, self._measured(value))
        return self.known[id(value)][1]

    def _measured(self, value: object) -> int:
        if isinstance(value, Scalar | Leaf):
            return _nodes(value.sql)
        if isinstance(value, Split):
            return _nodes(value.yes) + _nodes(value.no)
        if isinstance(value, If | Choice):
            return 2 * self.of(value.condition) + self.of(value.yes) + self.of(value.no)
        if isinstance(value, And):
            return self.of(value.left) + self.of(value.right)
        return self.of(value.inner) if isinstance(value, Not) else 1


def _nodes(sql: Sql) -> int:
    return sum(1 for _ in sql.walk())
