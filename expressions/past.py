"""Lists of past events, for what is evaluated without CEL: those of a name, and those kept."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from expressions.evaluators import Evaluator, Scope, Unfit, Unknown, truth, within
from expressions.facts import Facts, PastEvent
from expressions.lists import total
from expressions.present import OCCURRED_AT, window_of

Rows: TypeAlias = Callable[[Facts, Scope], Sequence[PastEvent]]


def window(facts: Facts, name: str, span: timedelta | None) -> tuple[int, int]:
    """Where in the history the events of that name begin and end that are asked for."""
    try:
        return window_of(facts, name, span)
    except OverflowError as error:
        raise Unknown from error


def named(name: str, span: timedelta | None) -> Rows:
    """The events of that name up to now, later than `span` before now."""
    key = ("past", name, span)

    def rows(facts: Facts, _: Scope) -> Sequence[PastEvent]:
        if key not in facts.memo:
            start, stop = window(facts, name, span)
            facts.memo[key] = facts.history.get(name, ())[start:stop]
        found: Sequence[PastEvent] = facts.memo[key]
        return found

    return rows


def filtered(rows: Rows, keeps: Evaluator) -> Rows:
    """Those that a condition keeps."""
    return lambda facts, scope: [
        one for one in rows(facts, scope) if truth(keeps(facts, (*scope, one)))
    ]


def counted(name: str, span: timedelta | None) -> Evaluator:
    """How many events of that name there are."""

    def value(facts: Facts, _: Scope) -> int:
        start, stop = window(facts, name, span)
        return stop - start

    return value


def summed(rows: Rows, item: Evaluator) -> Evaluator:
    """The sum of something of each."""

    def value(facts: Facts, scope: Scope) -> float:
        try:
            return total([item(facts, (*scope, one)) for one in rows(facts, scope)])
        except TypeError as error:
            raise Unknown from error

    return value


def decided(rows: Rows, says: Evaluator, *, decisive: bool) -> Evaluator:
    """Whether one of them is so (where yes is decisive), or all are (where no is)."""

    def value(facts: Facts, scope: Scope) -> bool:
        unknown = None
        for one in rows(facts, scope):
            try:
                if truth(says(facts, (*scope, one))) is decisive:
                    return decisive
            except Unknown as error:
                unknown = error
        if unknown is not None:
            raise unknown
        return not decisive

    return value


def at(rows: Rows, place: int) -> Callable[[Facts, Scope], PastEvent]:
    """The event at that place."""

    def one(facts: Facts, scope: Scope) -> PastEvent:
        try:
            return rows(facts, scope)[place]
        except IndexError as error:
            raise Unknown from error

    return one


def of_event(
    one: Callable[[Facts, Scope], PastEvent], keys: Sequence[str], *, is_asked_for: bool
) -> Evaluator:
    """What lies at a path of an event's properties, as it is, or when the event occurred."""
    if keys[0] != OCCURRED_AT:
        return within(
            lambda facts, scope: one(facts, scope).properties, keys, is_asked_for=is_asked_for
        )
    if len(keys) > 1 or is_asked_for:
        raise Unfit
    return lambda facts, scope: one(facts, scope).occurred_at


def of_loop(place: int) -> Callable[[Facts, Scope], Any]:
    """The event that a loop is at."""
    return lambda _, scope: scope[place]
