"""The operators and functions over values, a row a function: CEL's, and ours beside them."""

from collections.abc import Callable

from expressions.sql.arithmetic import arithmetic, minus
from expressions.sql.coercions import truth_of
from expressions.sql.conversions import CONVERSIONS
from expressions.sql.equality import contains, equal
from expressions.sql.lists import Lists
from expressions.sql.ordering import OPERATORS, ordered
from expressions.sql.paths import Paths
from expressions.sql.places import Places
from expressions.sql.query import Query
from expressions.sql.relations import Found
from expressions.sql.sums import Sums
from expressions.sql.texts import COMPARISONS, compared, lower
from expressions.sql.times import PARTS, part_of_time
from expressions.sql.truth import And, Not, Truth, either_of
from expressions.sql.values import Items, Refused, Scalar, Value, each, judged, merged

Function = Callable[[Query, list[Value]], Value]
ARITHMETIC = ("_+_", "_-_", "_*_", "_/_", "_%_")


def _in(query: Query, values: list[Value]) -> Truth:
    needle, listed = values

    def of(value: Value) -> Truth:
        if isinstance(value, Items):
            return contains(needle, value)
        if isinstance(value, Found):
            return Lists(query).contains(needle, value)
        return Lists(query).in_json(needle, value)

    return judged(listed, of)


def _matches(query: Query, values: list[Value]) -> Value:
    raise Refused(
        "regular expressions are another language in SQL", "use startsWith, endsWith or contains"
    )


def _part_of_time(name: str) -> Function:
    return lambda query, values: part_of_time(name, values[0], _zone(values[1:]), query.bounds)


def _zone(values: list[Value]) -> str:
    """The time zone that is asked for."""
    if not values:
        return "UTC"
    zone = values[0].constant if isinstance(values[0], Scalar) else None
    if not isinstance(zone, str) or not zone[:1].isalpha():
        raise Refused('a time zone must be written out by its name in SQL, like "Europe/Berlin"')
    return zone


def _ordered(operator: str) -> Function:
    return lambda query, values: ordered(OPERATORS[operator], values[0], values[1])


def _arithmetic(operator: str) -> Function:
    return lambda query, values: arithmetic(operator, values[0], values[1])


def _compared(name: str) -> Function:
    return lambda query, values: compared(name, values[0], values[1])


def _converted(name: str) -> Function:
    return lambda query, values: each(values[0], CONVERSIONS[name])


FUNCTIONS: dict[str, Function] = {
    "_&&_": lambda query, values: And(truth_of(values[0]), truth_of(values[1])),
    "_||_": lambda query, values: either_of(truth_of(values[0]), truth_of(values[1])),
    "!_": lambda query, values: Not(truth_of(values[0])),
    "_?_:_": lambda query, values: merged(truth_of(values[0]), values[1], values[2]),
    "_==_": lambda query, values: equal(values[0], values[1]),
    "_!=_": lambda query, values: Not(equal(values[0], values[1])),
    "@in": _in,
    "_[_]": lambda query, values: Paths(query).index(values[0], values[1]),
    "-_": lambda query, values: minus(values[0]),
    **{operator: _ordered(operator) for operator in OPERATORS},
    **{operator: _arithmetic(operator) for operator in ARITHMETIC},
    **{name: _compared(name) for name in COMPARISONS},
    **{name: _converted(name) for name in CONVERSIONS},
    **{name: _part_of_time(name) for name in (*PARTS, "getMilliseconds")},
    "size": lambda query, values: Lists(query).size(values[0]),
    "sum": lambda query, values: each(values[0], Sums(query).sum),
    "min": lambda query, values: each(values[0], lambda one: Sums(query).extreme("min", one)),
    "max": lambda query, values: each(values[0], lambda one: Sums(query).extreme("max", one)),
    "first": lambda query, values: Places(query).place(values[0], 0),
    "last": lambda query, values: Places(query).place(values[0], 0, last=True),
    "lower": lambda query, values: lower(values[0], query.bounds),
    "matches": _matches,
}
