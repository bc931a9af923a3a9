"""What a part of an expression is in SQL: its kind, and the SQL that is NULL where CEL errs."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from expressions.sql.syntax import (
    Sql,
    both,
    case,
    either,
    false,
    is_known,
    is_true,
    true,
)
from expressions.sql.truth import If, Split, Truth

Kind = Literal["json", "number", "int", "text", "time", "span"]


class Refused(Exception):
    """SQL cannot say this as CEL means it; the compiler adds the place."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value.

    `constant` is what it is for everybody, if the expression says so. `reach` bounds a number:
    0, or between 10^-reach and 10^reach; None where it may be anything a double can be, and with
    `nan` not a number as well. `bounds` are those of a whole number. `json` is a constant as JSON.
    """

    kind: Kind
    sql: Sql
    constant: object = None
    reach: int | None = None
    nan: bool = False
    json: Sql | None = None
    bounds: tuple[int, int] = (-(2**63), 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Nothing:
    """A value that is an error for everybody."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value or another of another kind, by a condition."""

    condition: Truth
    yes: "Value"
    no: "Value"


@dataclass(frozen=True, slots=True)
class Items:
    """A list that is written out."""

    items: tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A map that is written out."""

    entries: tuple[tuple["Value", "Value"], ...]


class Record(ABC):
    """A map whose fields are known to us: an event, a message."""

    @abstractmethod
    def select(self, name: str) -> "Value":
        """The value under that name."""

    @abstractmethod
    def has(self, name: str) -> Truth:
        """Whether there is one."""


class Rows:
    """A list that is found in tables."""


Value: TypeAlias = Scalar | Truth | Nothing | Choice | Items | Entries | Record | Rows


def each(value: Value, of: Callable[[Value], Value]) -> Value:
    """The value of every branch of a choice."""
    if isinstance(value, Choice):
        return merged(value.condition, each(value.yes, of), each(value.no, of))
    return of(value)


def judged(value: Value, of: Callable[[Value], Truth]) -> Truth:
    """The verdict of every branch of a choice."""
    if isinstance(value, Choice):
        return If(value.condition, judged(value.yes, of), judged(value.no, of))
    return of(value)


def merged(condition: Truth, yes: Value, no: Value) -> Value:
    """One or the other: a single value where both are of one kind."""
    if isinstance(yes, Truth) and isinstance(no, Truth):
        return If(condition, yes, no)
    if isinstance(yes, Nothing) and isinstance(no, Nothing):
        return yes
    if isinstance(yes, Scalar) and isinstance(no, Scalar) and yes.kind == no.kind:
        chosen = case((condition.true(), yes.sql), (condition.false(), no.sql))
        reach = None if yes.reach is None or no.reach is None else max(yes.reach, no.reach)
        low, high = zip(yes.bounds, no.bounds, strict=True)
        nan = yes.nan or no.nan
        return Scalar(yes.kind, chosen, None, reach, nan, None, (min(low), max(high)))
    return Choice(condition, yes, no)


def known(value: Value) -> Sql:
    """Whether there is a value at all."""
    if isinstance(value, Truth):
        return value.known()
    if isinstance(value, Choice):
        yes = both(value.condition.true(), known(value.yes))
        return either(yes, both(value.condition.false(), known(value.no)))
    if isinstance(value, Items):
        return both(*map(known, value.items))
    if isinstance(value, Entries):
        return both(*(known(part) for entry in value.entries for part in entry))
    if isinstance(value, Scalar):
        return true() if value.constant is not None else is_known(value.sql)
    if isinstance(value, Rows):
        raise Refused("a list cannot stand inside another one in SQL")
    return false() if isinstance(value, Nothing) else true()


def if_known(guard: Value, value: Value) -> Value:
    """The value, an error where the other one is."""
    if is_true(known(guard)):
        return value
    return merged(Split(known(guard), false()), value, Nothing())
