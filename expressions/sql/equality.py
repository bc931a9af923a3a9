"""`==` and `in`: values of different types are unequal, never an error."""

from sqlglot import exp

from expressions.sql.coercions import number_in, truth_of
from expressions.sql.json import written
from expressions.sql.syntax import (
    Sql,
    among,
    binary,
    both,
    call,
    case,
    cast,
    either,
    false,
    is_known,
    negated,
    true,
    word,
)
from expressions.sql.truth import Fixed, If, Leaf, Not, Split, Truth, either_of, when
from expressions.sql.values import Entries, Items, Nothing, Refused, Scalar, Value, judged, known

NUMBERS = ("number", "int")
EXACT = 2**53  # beyond it a whole number of JSON and the double that CEL sees may differ


def equal(left: Value, right: Value) -> Truth:
    """Whether two values are equal; unknown when one of them is."""
    return judged(left, lambda one: judged(right, lambda other: _equal(one, other)))


def _equal(left: Value, right: Value) -> Truth:
    if isinstance(left, Nothing) or isinstance(right, Nothing):
        return Fixed(None)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Items | Entries):
            return _equal_to_written(one, other)
        if isinstance(one, Truth):
            return _equal_truth(one, other)
    if not isinstance(left, Scalar) or not isinstance(right, Scalar):
        raise Refused(
            "whole events, messages and lists of them cannot be compared in SQL",
            "compare their properties",
        )
    return _equal_scalars(left, right)


def _equal_to_written(one: Items | Entries, other: Value) -> Truth:
    """A list or a map that is written out, against JSON."""
    if isinstance(other, Truth) or (isinstance(other, Scalar) and other.kind != "json"):
        return when(both(known(one), known(other)), Fixed(False))
    json = written(other)
    return Leaf(call("condition_equal", written(one).sql, json.sql))


def _equal_truth(one: Truth, other: Value) -> Truth:
    if isinstance(other, Truth):
        return If(one, other, Not(other))
    if isinstance(other, Scalar) and other.kind == "json":
        as_truth = truth_of(other)
        differs = [_not(as_truth.true()), _not(as_truth.false())]
        no = either(both(one.true(), differs[0]), both(one.false(), differs[1]))
        return Split(If(one, as_truth, Not(as_truth)).true(), no)
    return when(both(one.known(), known(other)), Fixed(False))


def _not(comparison: Sql) -> Sql:
    """Whether JSON differs from a word."""
    return binary(exp.NEQ, comparison.this, comparison.expression)


def _equal_scalars(left: Scalar, right: Scalar) -> Truth:
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return equal_numbers(left, right)
    if left.kind != "json" and right.kind == "json":
        left, right = right, left
    if left.kind == "json":
        return _equal_json(left, right)
    if left.kind == right.kind:
        return Leaf(binary(exp.EQ, left.sql, right.sql))
    return when(both(known(left), known(right)), Fixed(False))


def _equal_json(left: Scalar, right: Scalar) -> Truth:
    if right.kind == "json":
        if right.constant is not None:  # the word null
            return Leaf(binary(exp.EQ, left.sql, right.sql))
        return Leaf(call("condition_equal", left.sql, right.sql))
    if right.json is not None and _is_plain(right):
        return Leaf(binary(exp.EQ, left.sql, right.json))
    if right.kind == "text":
        return Leaf(binary(exp.EQ, left.sql, call("to_jsonb", right.sql)))
    if right.kind in NUMBERS:
        number = Scalar("number", number_in(left.sql))
        same = equal_numbers(number, right)
        other = both(is_known(left.sql), known(right), negated(is_known(number.sql)))
        return Split(same.true(), either(same.false(), other))
    return when(both(is_known(left.sql), known(right)), Fixed(False))


def equal_numbers(left: Scalar, right: Scalar) -> Truth:
    """Two numbers: doubles, unless both are whole."""
    return compare_numbers(exp.EQ, left, right)


def compare_numbers(kind: type[Sql], left: Scalar, right: Scalar) -> Truth:
    """Two numbers in any comparison; what is not a number compares as no with everything."""
    if kind is exp.EQ and left.kind == "int" and left.bounds[0] == right.constant:
        kind = exp.LTE  # it cannot be less, and Postgres expects more rows of it than of `=`
    if left.kind != right.kind:
        left, right = as_double(left), as_double(right)
    compared = binary(kind, left.sql, right.sql)
    if not (left.nan or right.nan):
        return Leaf(compared)
    nan = cast(word("NaN"), "number")
    suspects = [side.sql for side in (left, right) if side.nan]
    is_nan = both(among(nan, suspects), known(left), known(right))
    return Leaf(case((is_nan, false()), otherwise=compared))


def as_double(value: Scalar) -> Scalar:
    """A whole number as a double."""
    return value if value.kind == "number" else Scalar("number", cast(value.sql, "number"))


def contains(needle: Value, items: Items) -> Truth:
    """`in` a list that is written out; one unknown item makes it unknown."""
    others = list(items.items)
    found: Truth = Fixed(False)
    if isinstance(needle, Scalar) and needle.kind in {"json", "text"}:
        alike = [one for one in others if _is_plain(one) and needle.kind in {"json", _kind(one)}]
        if alike:
            found = Leaf(among(needle.sql, [_beside(needle, one) for one in alike]))
            others = [one for one in others if one not in alike]
    for item in others:
        found = either_of(found, equal(needle, item))
    if isinstance(found, Fixed):
        return when(both(known(needle), known(items)), found)
    guard = known(items)
    return found if guard == true() else when(guard, found)


def _kind(item: Value) -> str | None:
    return item.kind if isinstance(item, Scalar) else None


def _beside(needle: Scalar, item: Value) -> Sql:
    """A constant as what it is compared with."""
    return item.sql if needle.kind == "text" and isinstance(item, Scalar) else written(item).sql


def _is_plain(item: Value) -> bool:
    """Whether it is a constant that equals in SQL what it equals in CEL, number or not."""
    if not isinstance(item, Scalar):
        return False
    if isinstance(item.constant, bool) or item.kind in {"time", "span"}:
        return False
    if isinstance(item.constant, int | float):
        return abs(item.constant) < EXACT
    return isinstance(item.constant, str)
