"""The conversions of CEL: `timestamp`, `int`, `double`, `string` and their like."""

from collections.abc import Callable

from expressions.sql.coercions import as_text
from expressions.sql.syntax import call, case, cast, whole, word
from expressions.sql.truth import Truth
from expressions.sql.values import Nothing, Refused, Scalar, Value


def _timestamp(value: Value) -> Value:
    if isinstance(value, Scalar) and value.kind == "time":
        return value
    if isinstance(value, Scalar) and value.kind == "int":
        raise Refused("a time from a number of seconds is not possible in SQL")
    text = as_text(value)
    return (
        Scalar("time", call("condition_time", text.sql)) if isinstance(text, Scalar) else Nothing()
    )


def _duration(value: Value) -> Value:
    if isinstance(value, Scalar) and value.kind == "span":
        return value
    raise Refused("a length of time must be written out in SQL", 'write days(30), duration("1h")')


def _int(value: Value) -> Value:
    if isinstance(value, Truth):
        return Scalar(
            "int", case((value.true(), whole(1)), (value.false(), whole(0))), bounds=(0, 1)
        )
    if not isinstance(value, Scalar) or value.kind == "span":
        return Nothing()
    match value.kind:
        case "int":
            return value
        case "json":
            return Scalar("int", call("condition_int", value.sql))
        case "number":
            return Scalar("int", call("condition_truncated", value.sql))
        case "time":
            seconds = call("floor", call("date_part", word("epoch"), value.sql))
            return Scalar("int", cast(seconds, "int"), bounds=(-(2**37), 2**38))
    raise Refused("a number cannot be read from a text in SQL")


def _double(value: Value) -> Value:
    if isinstance(value, Scalar) and value.kind == "number":
        return value
    if isinstance(value, Scalar) and value.kind == "int":
        reach = len(str(max(map(abs, value.bounds))))
        return Scalar("number", cast(value.sql, "number"), None, reach)
    if isinstance(value, Scalar) and value.kind in {"json", "text"}:
        raise Refused(
            "a number cannot be read from a text in SQL", "numbers in data are doubles already"
        )
    return Nothing()


def _string(value: Value) -> Value:
    if isinstance(value, Scalar) and value.kind == "text":
        return value
    if isinstance(value, Scalar) and value.kind == "int":
        return Scalar("text", cast(value.sql, "text"))
    if isinstance(value, Nothing):
        return value
    raise Refused("`string` is written differently by SQL", "compare the values themselves")


def _bool(value: Value) -> Value:
    if isinstance(value, Truth):
        return value
    raise Refused("`bool` is not possible in SQL", "compare with true")


CONVERSIONS: dict[str, Callable[[Value], Value]] = {
    "timestamp": _timestamp,
    "duration": _duration,
    "int": _int,
    "double": _double,
    "string": _string,
    "bool": _bool,
    "dyn": lambda value: value,
    "days": _duration,
    "hours": _duration,
}
