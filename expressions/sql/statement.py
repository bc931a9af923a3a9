"""A condition as one statement for Postgres, and the values that go beside its text."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlglot import exp

from expressions.sql.nodes import Given
from expressions.sql.syntax import Sql, cast


class Bound(Protocol):
    """A value of a statement, known when it is run."""

    def at(self, now: datetime, among: Collection[UUID]) -> object:
        """The value at that moment."""


@dataclass(frozen=True, slots=True)
class Constant:
    """What the expression says."""

    value: object

    def at(self, now: datetime, among: Collection[UUID]) -> object:
        """Always the same."""
        return self.value


@dataclass(frozen=True, slots=True)
class Now:
    """The moment at which the condition is judged, or a time before it."""

    ago: timedelta = timedelta()

    def at(self, now: datetime, among: Collection[UUID]) -> object:
        """That moment."""
        return now - self.ago


@dataclass(frozen=True, slots=True)
class Among:
    """The customers to whom the question is restricted."""

    def at(self, now: datetime, among: Collection[UUID]) -> object:
        """They."""
        return list(among)


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT of the ids of those for whom the condition holds, or of their number."""

    text: str
    bounds: tuple[Bound, ...]

    def arguments(self, now: datetime, among: Collection[UUID] = ()) -> list[object]:
        """What to hand over for $1, $2, …"""
        return [bound.at(now, among) for bound in self.bounds]


@dataclass(slots=True)
class Bounds:
    """The values of a statement in the making."""

    found: list[Bound] = field(default_factory=list)
    places: dict[object, int] = field(default_factory=dict)

    def given(self, bound: Bound, kind: str) -> Sql:
        """The value as a node of that type; equal ones are handed over once."""
        index = self.places.setdefault(_key(bound), len(self.found))
        if index == len(self.found):
            self.found.append(bound)
        node = Given(this=exp.Literal.number(index))
        if kind == "ids":
            return exp.cast(node, exp.DataType.build("uuid[]"))
        # JSON is handed over as text, whatever codec the connection has.
        return cast(cast(node, "text"), kind) if kind == "json" else cast(node, kind)

    def value(self, node: Sql) -> object:
        """The number that a node stands for, if it is one for everybody; else the node."""
        if isinstance(node, exp.Literal) and not node.is_string:
            return float(node.this)
        if isinstance(node, exp.Cast) and isinstance(node.this, Given):
            bound = self.found[int(node.this.this.this)]
            return bound.value if isinstance(bound, Constant) else node
        return node

    def numbered(self, tree: Sql, first: int = 1) -> tuple[Sql, tuple[Bound, ...]]:
        """The tree with $1, $2, … in it (from `first` on), and the values that are used."""
        used: dict[int, int] = {}
        for node in list(tree.find_all(Given)):
            number = used.setdefault(int(node.this.this), len(used) + first)
            node.replace(exp.Parameter(this=exp.Literal.number(number)))
        return tree, tuple(self.found[index] for index in used)


def _key(bound: Bound) -> object:
    """What equal values share: 1, 1.0 and True are three values, 0.0 and -0.0 two."""
    if isinstance(bound, Constant):
        return (type(bound.value), repr(bound.value))
    return bound
