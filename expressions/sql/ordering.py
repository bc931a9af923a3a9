"""`<`, `<=`, `>`, `>=`: within one type; across types it is an error."""

from sqlglot import exp

from expressions.sql.coercions import is_type, number_of, text_in, text_of, truth_of
from expressions.sql.equality import NUMBERS, compare_numbers
from expressions.sql.syntax import Sql, binary, both, by_code, case, cast
from expressions.sql.truth import Fixed, Leaf, Truth, as_boolean
from expressions.sql.values import Scalar, Value, judged

OPERATORS: dict[str, type[Sql]] = {
    "_<_": exp.LT,
    "_<=_": exp.LTE,
    "_>_": exp.GT,
    "_>=_": exp.GTE,
}


def ordered(operator: type[Sql], left: Value, right: Value) -> Truth:
    """Whether the order is that one."""
    return judged(left, lambda a: judged(right, lambda b: _ordered(operator, a, b)))


def _ordered(operator: type[Sql], left: Value, right: Value) -> Truth:
    if isinstance(left, Truth) or isinstance(right, Truth):
        return _ordered_truths(operator, truth_of(left), truth_of(right))
    if not isinstance(left, Scalar) or not isinstance(right, Scalar):
        return Fixed(None)
    if left.kind == right.kind == "json":
        return _ordered_json(operator, left, right)
    one, other = _fitted(left, right), _fitted(right, left)
    return Fixed(None) if one is None or other is None else _ordered_known(operator, one, other)


def _ordered_known(operator: type[Sql], left: Scalar, right: Scalar) -> Truth:
    """Two values of which none is JSON."""
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return compare_numbers(operator, left, right)
    if left.kind != right.kind:
        return Fixed(None)
    if left.kind == "text":
        return Leaf(_texts(operator, left.sql, right.sql))
    return Leaf(binary(operator, left.sql, right.sql))


def _fitted(value: Scalar, beside: Scalar) -> Scalar | None:
    """JSON as what stands on the other side."""
    if value.kind != "json":
        return value
    if beside.kind in NUMBERS:
        return number_of(value)
    return text_of(value) if beside.kind == "text" else None


def _ordered_json(operator: type[Sql], left: Scalar, right: Scalar) -> Truth:
    numbers = [cast(left.sql, "number"), cast(right.sql, "number")]
    texts = [text_in(left.sql), text_in(right.sql)]
    return Leaf(
        case(
            (_are(left, right, "number"), binary(operator, *numbers)),
            (_are(left, right, "string"), _texts(operator, *texts)),
            (_are(left, right, "boolean"), binary(operator, left.sql, right.sql)),
        )
    )


def _are(left: Scalar, right: Scalar, name: str) -> Sql:
    return both(is_type(left.sql, name), is_type(right.sql, name))


def _texts(operator: type[Sql], left: Sql, right: Sql) -> Sql:
    return binary(operator, by_code(left), right)


def _ordered_truths(operator: type[Sql], left: Truth, right: Truth) -> Truth:
    """false stands before true."""
    return Leaf(binary(operator, as_boolean(left), as_boolean(right)))
