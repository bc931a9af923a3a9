"""Yes-or-no values, each as two questions to SQL: is it true, and is it false.

Where both say no it is unknown. A NULL among the answers counts as no, so that no three-valued
logic is needed: unknown parts of `&&` and `||` are absorbed exactly as CEL does it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from sqlglot import exp

from expressions.sql.syntax import Sql, both, case, either, false, is_known, negated, null, true


class Truth(ABC):
    """A value that is true, false or unknown."""

    __slots__ = ()

    @abstractmethod
    def true(self) -> Sql:
        """Whether it is true."""

    @abstractmethod
    def false(self) -> Sql:
        """Whether it is false."""

    def known(self) -> Sql:
        """Whether it is either."""
        return either(self.true(), self.false())


@dataclass(frozen=True, slots=True)
class Fixed(Truth):
    """The same for everybody; None is unknown."""

    value: bool | None

    def true(self) -> Sql:
        """Whether it is true."""
        return true() if self.value is True else false()

    def false(self) -> Sql:
        """Whether it is false."""
        return true() if self.value is False else false()

    def known(self) -> Sql:
        """Whether it is either."""
        return false() if self.value is None else true()


@dataclass(frozen=True, slots=True)
class Leaf(Truth):
    """A boolean of SQL that is NULL exactly when it is unknown; `sure` when it never is."""

    sql: Sql
    sure: bool = False

    def true(self) -> Sql:
        """Whether it is true."""
        return self.sql

    def false(self) -> Sql:
        """Whether it is false."""
        return negated(self.sql)

    def known(self) -> Sql:
        """Whether it is either."""
        return true() if self.sure else is_known(self.sql)


@dataclass(frozen=True, slots=True)
class Split(Truth):
    """The two answers written apart."""

    yes: Sql
    no: Sql

    def true(self) -> Sql:
        """Whether it is true."""
        return self.yes

    def false(self) -> Sql:
        """Whether it is false."""
        return self.no


@dataclass(frozen=True, slots=True)
class Not(Truth):
    """The opposite."""

    inner: Truth

    def true(self) -> Sql:
        """Whether it is true."""
        return self.inner.false()

    def false(self) -> Sql:
        """Whether it is false."""
        return self.inner.true()

    def known(self) -> Sql:
        """Whether it is either."""
        return self.inner.known()


@dataclass(frozen=True, slots=True)
class And(Truth):
    """Both; one that is false decides."""

    left: Truth
    right: Truth

    def true(self) -> Sql:
        """Whether it is true."""
        return both(self.left.true(), self.right.true())

    def false(self) -> Sql:
        """Whether it is false."""
        return either(self.left.false(), self.right.false())

    def known(self) -> Sql:
        """Whether it is either."""
        return either(both(self.left.known(), self.right.known()), self.false())


@dataclass(frozen=True, slots=True)
class If(Truth):
    """One or the other, by a third; unknown when that is."""

    condition: Truth
    yes: Truth
    no: Truth

    def true(self) -> Sql:
        """Whether it is true."""
        return self._either(self.yes.true(), self.no.true())

    def false(self) -> Sql:
        """Whether it is false."""
        return self._either(self.yes.false(), self.no.false())

    def known(self) -> Sql:
        """Whether it is either."""
        return self._either(self.yes.known(), self.no.known())

    def _either(self, yes: Sql, no: Sql) -> Sql:
        return either(both(self.condition.true(), yes), both(self.condition.false(), no))


def either_of(left: Truth, right: Truth) -> Truth:
    """One of them; one that is true decides."""
    return Not(And(Not(left), Not(right)))


def when(guard: Sql, truth: Truth) -> Truth:
    """That truth where `guard` says yes, unknown elsewhere."""
    return Split(both(guard, truth.true()), both(guard, truth.false()))


def as_boolean(truth: Truth) -> Sql:
    """One boolean of SQL, NULL when unknown."""
    if isinstance(truth, Leaf):
        return truth.sql
    if isinstance(truth, Fixed):
        return null() if truth.value is None else exp.Boolean(this=truth.value)
    return case((truth.true(), true()), (truth.false(), false()))
