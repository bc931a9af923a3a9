"""`+`, `-`, `*`, `/`, `%` as CEL has them: doubles that overflow into infinity, whole numbers that
must not, times and lengths of time. Postgres would raise an error for what is NULL here."""

from collections.abc import Callable

from sqlglot import exp

from expressions.sql.coercions import as_number, as_text, is_type
from expressions.sql.syntax import Sql, binary, both, call, case, cast, divide
from expressions.sql.times import moved
from expressions.sql.truth import Leaf, Truth
from expressions.sql.values import Choice, Nothing, Refused, Scalar, Value, each

FURTHEST = 300  # a power of ten that a double holds with room to spare
LARGEST = 2**63 - 1
Operation = Callable[[Scalar, Scalar], Value]


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """The result of `_+_` and its like."""
    return each(left, lambda a: each(right, lambda b: _computed(operator, a, b)))


def _computed(operator: str, left: Value, right: Value) -> Value:
    if isinstance(left, Truth) or isinstance(right, Truth):
        return Nothing()
    if not isinstance(left, Scalar) or not isinstance(right, Scalar):
        if isinstance(left, Nothing) or isinstance(right, Nothing):
            return Nothing()
        raise Refused("lists cannot be put together in SQL")
    kinds = (left.kind, right.kind)
    if operator == "_+_" and kinds == ("json", "json"):
        return _sum_of_json(left, right)
    if "json" in kinds:
        fitted = [_fitted(left, right), _fitted(right, left)]
        return each(fitted[0], lambda a: each(fitted[1], lambda b: _known(operator, a, b)))
    return _known(operator, left, right)


def _fitted(value: Scalar, beside: Scalar) -> Value:
    """JSON as what stands on the other side; a number beside JSON."""
    if value.kind != "json":
        return value
    return as_text(value) if beside.kind == "text" else as_number(value)


def _sum_of_json(left: Scalar, right: Scalar) -> Value:
    """Numbers are added, texts and lists are joined."""
    are = {
        name: both(is_type(left.sql, name), is_type(right.sql, name))
        for name in ("number", "string", "array")
    }
    numbers = _computed("_+_", as_number(left), as_number(right))
    texts = _computed("_+_", as_text(left), as_text(right))
    lists = Scalar("json", case((are["array"], binary(exp.DPipe, left.sql, right.sql))))
    joined = Choice(Leaf(are["string"]), texts, lists)
    return Choice(Leaf(are["number"]), numbers, joined)


def _known(operator: str, left: Value, right: Value) -> Value:
    """Two values of known kinds."""
    if not isinstance(left, Scalar) or not isinstance(right, Scalar):
        return Nothing()
    kinds = (left.kind, right.kind)
    if kinds == ("number", "number"):
        return Nothing() if operator == "_%_" else DOUBLES[operator](left, right)
    if kinds == ("int", "int"):
        return WHOLE[operator](left, right)
    if kinds == ("text", "text") and operator == "_+_":
        return Scalar("text", binary(exp.DPipe, left.sql, right.sql))
    if operator in {"_+_", "_-_"}:
        return moved(operator == "_+_", left, right)
    return Nothing()


# Doubles ---------------------------------------------------------------------------


def _double(name: str, kind: type[Sql], left: Scalar, right: Scalar, reach: int | None) -> Scalar:
    """Plain where it cannot overflow or vanish, else by a function that does as doubles do."""
    if reach is not None and reach <= FURTHEST:
        return Scalar("number", binary(kind, left.sql, right.sql), None, reach)
    return Scalar("number", call(name, left.sql, right.sql), nan=True)


def _plus(kind: type[Sql], left: Scalar, right: Scalar) -> Scalar:
    reach = _reach(left, right, lambda a, b: max(a, b) + 20)
    if kind is exp.Sub and reach is None:
        right = Scalar("number", exp.Neg(this=exp.Paren(this=right.sql.copy())))
    return _double("condition_plus", kind, left, right, reach)


def _over(left: Scalar, right: Scalar) -> Scalar:
    reach = _reach(left, right, int.__add__)
    if reach is None or reach > FURTHEST or not right.constant:
        return Scalar("number", call("condition_over", left.sql, right.sql), nan=True)
    return Scalar("number", divide(left.sql, right.sql), None, reach)


def _reach(left: Scalar, right: Scalar, of: Callable[[int, int], int]) -> int | None:
    if left.reach is None or right.reach is None:
        return None
    return of(left.reach, right.reach)


DOUBLES: dict[str, Operation] = {
    "_+_": lambda a, b: _plus(exp.Add, a, b),
    "_-_": lambda a, b: _plus(exp.Sub, a, b),
    "_*_": lambda a, b: _double(
        "condition_times", exp.Mul, a, b, _reach(a, b, int.__add__)
    ),
    "_/_": _over,
}  # fmt: skip


# Whole numbers ---------------------------------------------------------------------


def _whole(kind: type[Sql], left: Scalar, right: Scalar) -> Scalar:
    """A result outside 64 bits is an error."""
    of = {exp.Add: int.__add__, exp.Sub: int.__sub__, exp.Mul: int.__mul__}[kind]  # type: ignore[index]  # types of nodes
    corners = [of(a, b) for a in left.bounds for b in right.bounds]
    bounds = (min(corners), max(corners))
    if bounds[0] >= -LARGEST and bounds[1] <= LARGEST:
        return Scalar("int", binary(kind, left.sql, right.sql), bounds=bounds)
    exact = binary(kind, cast(left.sql, "decimal"), cast(right.sql, "decimal"))
    return Scalar("int", call("condition_whole", exact))


def _divided(left: Scalar, right: Scalar) -> Scalar:
    divisor = call("nullif", right.sql, exp.Literal.number(0))
    if left.bounds[0] < -LARGEST:
        exact = call("div", cast(left.sql, "decimal"), cast(divisor, "decimal"))
        return Scalar("int", call("condition_whole", exact))
    size = max(map(abs, left.bounds))
    return Scalar("int", divide(left.sql, divisor), bounds=(-size, size))


def _rest(left: Scalar, right: Scalar) -> Scalar:
    if left.bounds[0] < -LARGEST and right.bounds[0] <= -1 <= right.bounds[1]:
        raise Refused("`%` of any whole number by one that may be -1 is not possible in SQL")
    size = max(map(abs, right.bounds))
    divisor = call("nullif", right.sql, exp.Literal.number(0))
    return Scalar("int", binary(exp.Mod, left.sql, divisor), bounds=(-size, size))


WHOLE: dict[str, Operation] = {
    "_+_": lambda a, b: _whole(exp.Add, a, b),
    "_-_": lambda a, b: _whole(exp.Sub, a, b),
    "_*_": lambda a, b: _whole(exp.Mul, a, b),
    "_/_": _divided,
    "_%_": _rest,
}


def minus(value: Value) -> Value:
    """`-x`."""

    def of(value: Value) -> Value:
        number = as_number(value)
        if isinstance(number, Scalar):
            sql = exp.Neg(this=exp.Paren(this=number.sql.copy()))
            return Scalar("number", sql, None, number.reach, number.nan)
        if isinstance(value, Scalar) and value.kind == "int":
            return _whole(exp.Sub, Scalar("int", exp.Literal.number(0), bounds=(0, 0)), value)
        return Nothing()

    return each(value, of)
