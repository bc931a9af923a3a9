"""Values as JSON: what is written in an expression beside what lies in attributes."""

from expressions.sql.syntax import Sql, call, case, true
from expressions.sql.truth import Truth, as_boolean
from expressions.sql.values import Entries, Items, Refused, Scalar, Value, known


def written(value: Value) -> Scalar:
    """The value as JSON; NULL where a part of it is an error."""
    if isinstance(value, Truth):
        return Scalar("json", call("to_jsonb", as_boolean(value)))
    if isinstance(value, Scalar):
        return value if value.kind == "json" else Scalar("json", value.json or _json(value))
    if isinstance(value, Items):
        parts = [written(item).sql for item in value.items]
        return _whole("jsonb_build_array", parts, known(value))
    if isinstance(value, Entries):
        keys = [key for key, _ in value.entries]
        if any(not isinstance(key, Scalar) or not isinstance(key.constant, str) for key in keys):
            raise Refused("the keys of a map must be texts that are written out in SQL")
        parts = [written(item).sql for _, item in value.entries]
        named = [part for key, item in zip(keys, parts, strict=True) for part in (key.sql, item)]  # type: ignore[union-attr]  # scalars, as seen above
        return _whole("jsonb_build_object", named, known(value))
    raise Refused("this cannot be compared with a list or a map in SQL")


def _json(value: Scalar) -> Sql:
    if value.kind in {"time", "span"}:
        raise Refused("a list or a map with times in it cannot be compared with one in data")
    if value.kind == "number" and value.constant is None:
        raise Refused("a list or a map with computed numbers in it cannot be compared in SQL")
    return call("to_jsonb", value.sql)


def _whole(function: str, parts: list[Sql], guard: Sql) -> Scalar:
    built = call(function, *parts)
    return Scalar("json", built if guard == true() else case((guard, built)))
