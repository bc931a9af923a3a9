"""What is asked of lists of numbers and of times: `sum`, `min`, `max`."""

from dataclasses import dataclass, replace

from sqlglot import exp

from expressions.sql.coercions import as_number, single
from expressions.sql.query import Query, listed, where_sound
from expressions.sql.relations import Found
from expressions.sql.syntax import (
    Sql,
    binary,
    both,
    call,
    case,
    cast,
    is_known,
    is_not_true,
    negated,
    whole,
    word,
)
from expressions.sql.truth import Truth
from expressions.sql.values import (
    Choice,
    Items,
    Nothing,
    Record,
    Refused,
    Scalar,
    Value,
    known,
)


@dataclass(frozen=True, slots=True)
class Sums:
    """The functions over numbers, in one query."""

    query: Query

    def sum(self, value: Value) -> Value:
        """The exact sum of numbers, rounded once."""
        if isinstance(value, Items):
            summed = whole(0)
            for item in value.items:
                summed = binary(exp.Add, summed, _decimal(item))
            return Scalar("number", call("condition_double", summed), nan=True)
        value = listed(self.query, value, "array")
        if not isinstance(value, Found):
            return Nothing()
        sound = self.query.sound(value.unmapped(), both(*value.filters, _no_number(value.item)))
        total = self._total(value)
        nan = not isinstance(value.item, Scalar) or value.item.nan
        return Scalar("number", where_sound(sound, call("condition_double", total)), nan=nan)

    def _total(self, value: Found) -> Sql:
        """The sum: of JSON for everybody, those in whole hundredths apart."""
        number, decimal = _number_in(value.item), _decimal(value.item)
        if not self.query.groups_up(value, decimal) or number is None:
            return self.query.aggregate(value, call("sum", decimal), default=whole(0))
        hundredths = call("condition_hundredths", number)
        others = [negated(is_known(hundredths))]
        most = self.query.aggregate(value, call("sum", hundredths), default=whole(0))
        rest = self.query.aggregate(value, call("sum", decimal), others, default=whole(0))
        return binary(exp.Add, binary(exp.Mul, most, exp.Literal.number("0.01")), rest)

    def extreme(self, name: str, value: Value) -> Value:
        """`min` and `max`, of numbers or of times."""
        if isinstance(value, Items):
            return _extreme_of_written(name, value)
        value = listed(self.query, value, "array")
        if not isinstance(value, Found):
            return Nothing()
        item = single(value.item)
        if item is None and not isinstance(value.item, Nothing | Record | Truth):
            raise Refused(f"`{name}` takes values of one kind in SQL")
        if item is not None and item.kind == "json":
            number = as_number(item)
            item = number if isinstance(number, Scalar) else None
        if item is None or item.kind in {"text", "span"}:
            return Nothing()
        flaw = negated(is_known(item.sql))
        if item.nan:
            nan = cast(word("NaN"), "number")
            flaw = is_not_true(binary(exp.NEQ, item.sql, nan))
        sound = self.query.sound(value.unmapped(), both(*value.filters, flaw))
        found = self.query.aggregate(value, call(name, item.sql))
        return replace(item, sql=where_sound(sound, found), constant=None)


def _no_number(value: Value) -> Sql:
    """Whether there is no number to add."""
    return negated(is_known(_number_in(value) or _decimal(value)))


def _number_in(value: Value) -> Sql | None:
    """The number that JSON is, as it is written."""
    if isinstance(value, Scalar) and value.kind == "json":
        return call("condition_number", value.sql)
    return None


def _decimal(value: Value) -> Sql:
    """A number as it is written, NULL where it is none."""
    if isinstance(value, Choice):
        condition = value.condition
        return case(
            (condition.true(), _decimal(value.yes)), (condition.false(), _decimal(value.no))
        )
    if not isinstance(value, Scalar) or value.kind in {"text", "time", "span"}:
        return cast(exp.Null(), "decimal")
    if value.kind == "int":
        return cast(value.sql, "decimal")
    number = _number_in(value)
    if number is not None:
        return call("condition_decimal", number)
    return call("condition_exactly", value.sql)


def _extreme_of_written(name: str, items: Items) -> Value:
    scalars = [single(item) for item in items.items]
    numbers = [as_number(one) if one is not None and one.kind == "json" else one for one in scalars]
    found = [one for one in numbers if isinstance(one, Scalar)]
    kinds = {one.kind for one in found}
    if not found or len(found) < len(items.items) or len(kinds) > 1:
        if not items.items:
            return Nothing()
        raise Refused(f"`{name}` of a written list takes numbers only, or times only, in SQL")
    if kinds & {"text", "span", "json"}:
        return Nothing()
    if any(one.nan for one in found):
        raise Refused(f"`{name}` of a written list takes no results of a division in SQL")
    function = "least" if name == "min" else "greatest"
    chosen = call(function, *(one.sql for one in found))
    low, high = min(one.bounds[0] for one in found), max(one.bounds[1] for one in found)
    guard = both(*(known(one) for one in found))
    return replace(found[0], sql=where_sound(guard, chosen), constant=None, json=None,
                   reach=None, bounds=(low, high))  # fmt: skip
