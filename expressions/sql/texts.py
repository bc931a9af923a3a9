"""Texts: what they contain, and their lower case."""

from collections.abc import Callable

from sqlglot import exp

from expressions.scalars import lowered
from expressions.sql.coercions import as_text
from expressions.sql.statement import Bounds, Constant
from expressions.sql.syntax import Sql, binary, by_code, call, case, whole
from expressions.sql.truth import Fixed, Leaf, Truth
from expressions.sql.values import Nothing, Scalar, Value, each, judged

COMPARISONS: dict[str, Callable[[Sql, Sql], Sql]] = {
    "contains": lambda text, part: binary(exp.GT, call("strpos", text, part), whole(0)),
    "startsWith": lambda text, part: call("starts_with", text, part),
    "endsWith": lambda text, part: binary(
        exp.EQ, call("right", text, call("char_length", part)), part
    ),
}


def compared(name: str, text: Value, part: Value) -> Truth:
    """`contains` and its like."""

    def of(one: Value, other: Value) -> Truth:
        if not isinstance(one, Scalar) or not isinstance(other, Scalar):
            return Fixed(None)
        return Leaf(COMPARISONS[name](one.sql, other.sql))

    return judged(as_text(text), lambda a: judged(as_text(part), lambda b: of(a, b)))


def lower(value: Value, bounds: Bounds) -> Value:
    """Lower case, letter by letter: of ASCII at once, of all letters by a table of Python's."""

    def of(value: Value) -> Value:
        if not isinstance(value, Scalar):
            return Nothing()
        letters, lows = "".join(map(chr, lowered())), "".join(lowered().values())
        tables = [bounds.given(Constant(one), "text") for one in (letters, lows)]
        is_ascii = binary(exp.EQ, call("octet_length", value.sql), call("char_length", value.sql))
        plain = call("lower", by_code(value.sql))
        translated = call("translate", value.sql, *tables)
        return Scalar("text", case((is_ascii, plain), otherwise=translated))

    return each(as_text(value), of)
