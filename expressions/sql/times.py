"""Times and lengths of time: added, subtracted, and the parts of them."""

from datetime import timedelta

from sqlglot import exp

from expressions.sql.statement import Bounds, Constant
from expressions.sql.syntax import Sql, binary, call, case, cast, whole, word
from expressions.sql.values import Nothing, Refused, Scalar, Value, each

# How long a difference may be: as it was measured, both ends have their own limit.
SHORTEST, LONGEST = "-9223372036.854775 seconds", "9223372036 seconds"
FIRST, LAST = "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"

SMALL = (-(2**31), 2**31)
# What is extracted, and what CEL counts from: its months and days of a month begin with 0.
PARTS: dict[str, tuple[str, int]] = {
    "getFullYear": ("year", 0),
    "getMonth": ("month", -1),
    "getDate": ("day", 0),
    "getDayOfMonth": ("day", -1),
    "getDayOfWeek": ("dow", 0),
    "getDayOfYear": ("doy", -1),
    "getHours": ("hour", 0),
    "getMinutes": ("minute", 0),
    "getSeconds": ("second", 0),
}


def moved(adds: bool, left: Scalar, right: Scalar) -> Value:
    """`+` and `-` of times and lengths of time."""
    kinds = (left.kind, right.kind)
    if kinds == ("time", "span"):
        return _shifted(adds, left, right)
    if kinds == ("span", "time") and adds:
        return _shifted(adds, right, left)
    if kinds == ("span", "span"):
        return _within_reach(binary(exp.Add if adds else exp.Sub, left.sql, right.sql))
    if kinds == ("time", "time") and not adds:
        return _within_reach(binary(exp.Sub, left.sql, right.sql))
    return Nothing()


def _shifted(adds: bool, time: Scalar, span: Scalar) -> Scalar:
    """A time later or earlier: a day is 24 hours in every session, not a day of its time zone."""
    if isinstance(span.constant, timedelta) and abs(span.constant) > timedelta(days=106_750):
        raise Refused("a time cannot be moved by more than 292 years in SQL")
    of = _plain if span.constant is not None else _by_utc
    limits = [cast(word(limit), "time") for limit in (FIRST, LAST)]
    # The limits are moved back rather than the time forth: they are constants, and not its rows.
    low, high = (of(not adds, limit, span.sql) for limit in limits)
    inside = exp.Between(this=exp.Paren(this=time.sql.copy()), low=low, high=high)
    return Scalar("time", case((inside, of(adds, time.sql, span.sql))))


def _plain(adds: bool, time: Sql, span: Sql) -> Sql:
    return exp.Paren(this=binary(exp.Add if adds else exp.Sub, time, span))


def _by_utc(adds: bool, time: Sql, span: Sql) -> Sql:
    """A length of time that Postgres has measured may count days."""
    return _in_utc(_plain(adds, _in_utc(time), span))


def _in_utc(sql: Sql) -> Sql:
    return exp.Paren(this=exp.AtTimeZone(this=exp.Paren(this=sql.copy()), zone=word("UTC")))


def _within_reach(sql: Sql) -> Scalar:
    """A length of time; CEL has 292 years for the result."""
    limits = {"low": cast(word(SHORTEST), "span"), "high": cast(word(LONGEST), "span")}
    inside = exp.Between(this=exp.Paren(this=sql.copy()), **limits)
    return Scalar("span", case((inside, sql)))


def part_of_time(name: str, value: Value, zone: str, bounds: Bounds) -> Value:
    """`getHours` and its like."""

    def of(value: Value) -> Value:
        if isinstance(value, Scalar) and value.kind == "span":
            raise Refused(f"`{name}` of a length of time is not possible in SQL")
        if not isinstance(value, Scalar) or value.kind != "time":
            return Nothing()
        local = exp.Paren(
            this=exp.AtTimeZone(
                this=exp.Paren(this=value.sql.copy()),
                zone=bounds.given(Constant(zone), "text"),
            )
        )
        if name == "getMilliseconds":
            seconds = cast(call("floor", _extract("milliseconds", local)), "int")
            counted = binary(exp.Mod, seconds, whole(1000))
        else:
            part, offset = PARTS[name]
            counted = binary(exp.Add, call("floor", _extract(part, local)), whole(offset))
        return Scalar("int", cast(call("floor", counted), "int"), bounds=SMALL)

    return each(value, of)


def _extract(part: str, time: Sql) -> Sql:
    return call("date_part", word(part), time)
