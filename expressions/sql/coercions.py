"""Values taken as a truth, a number or a text: JSON becomes what it turns out to be."""

from sqlglot import exp

from expressions.sql.nodes import TextAt
from expressions.sql.syntax import Sql, binary, call, case, cast, either, null, word
from expressions.sql.truth import Fixed, Split, Truth
from expressions.sql.values import Choice, Nothing, Scalar, Value, each, judged, merged


def truth_of(value: Value) -> Truth:
    """The value as a condition: JSON that is no boolean is unknown, as is all else."""

    def of(value: Value) -> Truth:
        if isinstance(value, Truth):
            return value
        if isinstance(value, Scalar) and value.kind == "json":
            sql = value.sql
            return Split(equals_json(sql, "true"), equals_json(sql, "false"))
        return Fixed(None)

    return judged(value, of)


def equals_json(sql: Sql, written: str) -> Sql:
    """Whether JSON is that word of JSON."""
    return binary(exp.EQ, sql, cast(word(written), "json"))


def is_type(sql: Sql, *names: str) -> Sql:
    """Whether JSON is of one of these types."""
    return either(*(binary(exp.EQ, call("jsonb_typeof", sql), word(name)) for name in names))


def number_of(value: Scalar) -> Scalar | None:
    """A number, JSON where it is one (JSON numbers are doubles); None for all else."""
    if value.kind == "json":
        return Scalar("number", number_in(value.sql))
    return value if value.kind == "number" else None


def number_in(json: Sql) -> Sql:
    """The number that JSON is, NULL where it is none."""
    return case((is_type(json, "number"), cast(json, "number")))


def text_of(value: Scalar) -> Scalar | None:
    """A text, JSON where it is one; None for all else."""
    if value.kind == "json":
        return Scalar("text", text_in(value.sql))
    return value if value.kind == "text" else None


def text_in(json: Sql) -> Sql:
    """The text that JSON is, NULL where it is none."""
    path = exp.cast(word("{}"), exp.DataType.build("text[]"))
    return case((is_type(json, "string"), binary(TextAt, json, path)))


def as_number(value: Value) -> Value:
    """A number, an error where it is none."""
    return each(value, lambda one: (isinstance(one, Scalar) and number_of(one)) or Nothing())


def as_text(value: Value) -> Value:
    """A text, an error where it is none."""
    return each(value, lambda one: (isinstance(one, Scalar) and text_of(one)) or Nothing())


def single(value: Value) -> Scalar | None:
    """The value as one SQL value of one kind, if it can be; a truth is for the caller to turn."""
    if isinstance(value, Scalar):
        return value
    if isinstance(value, Choice):
        branches = [single(value.yes), single(value.no)]
        found = [branch for branch in branches if branch is not None]
        if isinstance(value.yes, Nothing) and isinstance(value.no, Scalar):
            found = [Scalar(value.no.kind, null()), value.no]
        elif isinstance(value.no, Nothing) and isinstance(value.yes, Scalar):
            found = [value.yes, Scalar(value.yes.kind, null())]
        if len(found) == 2 and found[0].kind == found[1].kind:
            joined = merged(value.condition, found[0], found[1])
            return joined if isinstance(joined, Scalar) else None
    return None
