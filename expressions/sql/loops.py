"""The macros of CEL over lists: `exists`, `all`, `exists_one`, `filter`, `map`."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from expressions.sql.coercions import truth_of
from expressions.sql.macros import Name
from expressions.sql.query import Query, listed
from expressions.sql.relations import Found
from expressions.sql.syntax import (
    binary,
    both,
    false,
    is_not_true,
    negated,
    whole,
)
from expressions.sql.truth import (
    And,
    Fixed,
    If,
    Not,
    Split,
    Truth,
    either_of,
)
from expressions.sql.values import (
    Choice,
    Entries,
    Items,
    Nothing,
    Refused,
    Value,
    if_known,
    known,
    merged,
)

Body = Callable[[Value], Value]


@dataclass(frozen=True, slots=True)
class Loops:
    """The macros, in one query."""

    query: Query

    def loop(self, name: Name, value: Value, predicate: Body | None, result: Body | None) -> Value:
        """A macro over a list."""
        if isinstance(value, Choice):
            branches = [self.loop(name, one, predicate, result) for one in (value.yes, value.no)]
            return merged(value.condition, *branches)
        value = listed(self.query, value, "array", "object")
        if isinstance(value, Items):
            return _loop_written(name, value, predicate, result)
        if isinstance(value, Entries):
            return _loop_written(name, Items(tuple(key for key, _ in value.entries)),
                                 predicate, result)  # fmt: skip
        if not isinstance(value, Found):
            return Nothing() if name in {"filter", "map"} else Fixed(None)
        if predicate is not None and name in {"filter", "map"}:
            value = self._filtered(value, truth_of(predicate(value.item)))
        if name in {"filter", "map"}:
            return value if result is None else _mapped(value, result(value.item))
        assert predicate is not None  # noqa: S101 - the others have one
        return self._verdict(name, value, truth_of(predicate(value.item)))

    def _filtered(self, found: Found, keeps: Truth) -> Found:
        flaw = both(*found.filters, is_not_true(keeps.known()))
        return replace(
            found, where=(*found.where, keeps.true()), flaws=(*found.flaws, flaw), mapped=False
        )

    def _verdict(self, name: Name, found: Found, predicate: Truth) -> Truth:
        sound = self.query.sound(found)
        if name == "all":
            return Not(self._verdict("exists", found, Not(predicate)))
        if name == "exists":
            yes = self.query.any(found, predicate.true())
            no = self.query.every(found, predicate.false())
            return Split(both(sound, yes), both(sound, no))
        unknown = both(*found.filters, is_not_true(predicate.known()))
        sound = self.query.sound(found, unknown)
        once = binary(exp.EQ, self.query.count(found, predicate.true()), whole(1))
        return Split(both(sound, once), both(sound, negated(once)))


def _mapped(found: Found, item: Value) -> Found:
    missing = is_not_true(known(item))
    flaws = (*found.flaws, both(*found.filters, missing))
    return replace(found, item=item, flaws=flaws, mapped=True)


def _loop_written(name: Name, items: Items, predicate: Body | None, result: Body | None) -> Value:
    """A macro over a list that is written out: one by one."""
    sound = Split(known(items), false())
    if name == "map" and result is not None:
        made = tuple(result(item) for item in items.items)
        return if_known(items, Items(made))
    if name == "filter" or predicate is None:
        raise Refused("a list that is written out cannot be filtered in SQL", "write what remains")
    verdicts = [truth_of(predicate(item)) for item in items.items]
    found: Truth
    if name == "exists_one":
        raise Refused("`exists_one` over a list that is written out is not possible in SQL")
    found = Fixed(name == "all")
    for verdict in verdicts:
        found = And(found, verdict) if name == "all" else either_of(found, verdict)
    return If(sound, found, Fixed(None))
