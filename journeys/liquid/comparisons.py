"""The comparisons of Liquid, for values as data have them; None stands for what is missing."""

from collections.abc import Callable

from liquid import Expression
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LtExpression,
    NeExpression,
)

Comparison = Callable[[object, object], bool]
NUMBER = (int, float)


class Unsure(Exception):
    """Python-liquid has to render the part."""


def are_ordered(left: object, right: object) -> bool:
    """Whether one is less than the other, or not; raises Unsure when that makes no sense."""
    if isinstance(left, str):
        is_sensible = isinstance(right, str)
    else:
        is_sensible = isinstance(left, NUMBER) and isinstance(right, NUMBER)
    if is_sensible:
        return True
    if left is None or right is None:
        return False
    raise Unsure


def equal(left: object, right: object) -> bool:
    """`==`: true is not 1."""
    if isinstance(left, str):
        return left == right
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def less(left: object, right: object) -> bool:
    """`<`: true is 1."""
    return are_ordered(left, right) and left < right  # type: ignore[operator]  # they are


def at_most(left: object, right: object) -> bool:
    """`<=`: true and false are in no order."""
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    return are_ordered(left, right) and left <= right  # type: ignore[operator]  # they are


def contains(left: object, right: object) -> bool:
    """`contains`, of a text or a list."""
    if left is None or left is False or right is None or right is False:
        return False
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    if isinstance(left, list):
        return right in left
    raise Unsure


COMPARISONS: dict[type[Expression], Comparison] = {
    EqExpression: equal,
    NeExpression: lambda left, right: not equal(left, right),
    LtExpression: less,
    GtExpression: lambda left, right: less(right, left),
    LeExpression: at_most,
    GeExpression: lambda left, right: at_most(right, left),
    ContainsExpression: contains,
}
