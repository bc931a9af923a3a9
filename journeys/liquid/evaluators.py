"""Expressions of Liquid as functions of the names that a part knows.

None stands for what is missing: null is as good as missing. An expression that is not made for this
is evaluated by python-liquid; data that are not raise Unsure.
"""

from collections.abc import Callable, Iterable
from functools import partial

from liquid import BoundTemplate, Expression
from liquid.builtin.expressions.arguments import KeywordArgument
from liquid.builtin.expressions.filtered import Filter, FilteredExpression
from liquid.builtin.expressions.logical import (
    BooleanExpression,
    LogicalAndExpression,
    LogicalOrExpression,
)
from liquid.builtin.expressions.path import Path
from liquid.builtin.expressions.primitive import Blank, Empty, Literal, Nil

from journeys.liquid.comparisons import COMPARISONS, NUMBER, Comparison, Unsure
from journeys.liquid.nodes import opened
from journeys.liquid.values import Missing

Names = dict[str, object]
Evaluator = Callable[[Names], object]
Test = Callable[[Names], bool]

KNOWN_BY_ITSELF = frozenset({"now", "today"})  # python-liquid's own, where data have no such name
MORE_THAN_KEYS = frozenset({"first", "last", "size"})
EMPTIABLE = (str, list, dict)
CONSTANT = (Literal, Nil, Empty, Blank)


class Evaluators:
    """Makes functions of the expressions of a part."""

    def __init__(self, content: BoundTemplate) -> None:
        self._content = content

    def value(self, node: Expression) -> Evaluator:
        """What an expression comes to."""
        if isinstance(node, CONSTANT):
            return constant(node.evaluate(opened(self._content, {})))
        if isinstance(node, Path):
            return self._path(node)
        if isinstance(node, FilteredExpression):
            return self._filtered(node)
        return self._test(node) or self._liquid(node)

    def holds(self, node: Expression) -> Test:
        """Whether a condition is so."""
        if isinstance(node, BooleanExpression):
            return self.holds(node.expression)
        return self._test(node) or truth(self.value(node))

    def _test(self, node: Expression) -> Test | None:
        """An expression that comes to nothing but true or false."""
        if isinstance(node, LogicalAndExpression):
            return both(self.holds(node.left), self.holds(node.right))
        if isinstance(node, LogicalOrExpression):
            return either(self.holds(node.left), self.holds(node.right))
        compare = COMPARISONS.get(type(node))
        if compare is None:
            return None
        left, right = map(self.value, node.children())
        return compared(compare, left, right)

    def _liquid(self, node: Expression) -> Evaluator:
        """As python-liquid evaluates it."""
        content = self._content

        def value(names: Names) -> object:
            found = node.evaluate(opened(content, names))
            return None if isinstance(found, Missing) else found

        return value

    def _path(self, node: Path) -> Evaluator:
        elsewhere = self._liquid(node)
        keys = [key for key in node.path if isinstance(key, str)]
        if len(keys) < len(node.path) or keys[0] in KNOWN_BY_ITSELF:
            return elsewhere
        if not MORE_THAN_KEYS.isdisjoint(keys[1:]):
            return elsewhere
        root, *rest = keys
        return pair(root, rest[0], elsewhere) if len(rest) == 1 else steps(root, rest, elsewhere)

    def _filtered(self, node: FilteredExpression) -> Evaluator:
        made = self.value(node.left)
        for one in node.filters or ():
            step = self._filter(one, made)
            if step is None:
                return self._liquid(node)
            made = step
        return made

    def _filter(self, one: Filter, left: Evaluator) -> Evaluator | None:
        """What a filter makes of a value, unless it asks for all that python-liquid knows."""
        env = self._content.env
        function = env.filters.get(one.name)
        if function is None or hasattr(function, "with_context"):
            return None
        if any(isinstance(argument, KeywordArgument) for argument in one.args):
            return None
        given = [self.value(argument.value) for argument in one.args]
        if one.name == "default" and len(given) < 2:
            return defaulted(left, given[0] if given else constant(""))
        if hasattr(function, "with_environment"):
            function = partial(function, environment=env)
        return called(function, left, given)


def constant(value: object) -> Evaluator:
    """The same for all."""
    return lambda names: value


def pair(root: str, key: str, elsewhere: Evaluator) -> Evaluator:
    """What lies under a key of a name, as nearly all paths ask."""

    def value(names: Names) -> object:
        around = names.get(root)
        return around.get(key) if type(around) is dict else elsewhere(names)

    return value


def steps(root: str, keys: Iterable[str], elsewhere: Evaluator) -> Evaluator:
    """What lies in dictionaries within dictionaries."""

    def value(names: Names) -> object:
        found = names.get(root)
        for key in keys:
            if type(found) is not dict:
                return elsewhere(names)
            found = found.get(key)
        return found

    return value


def truth(given: Evaluator) -> Test:
    """Whether a value is one: all are, but for what is missing or false."""

    def test(names: Names) -> bool:
        value = given(names)
        return value is not None and value is not False

    return test


def compared(compare: Comparison, left: Evaluator, right: Evaluator) -> Test:
    """One value held against another."""
    return lambda names: compare(left(names), right(names))


def both(left: Test, right: Test) -> Test:
    """`and`."""
    return lambda names: left(names) and right(names)


def either(left: Test, right: Test) -> Test:
    """`or`."""
    return lambda names: left(names) or right(names)


def defaulted(left: Evaluator, otherwise: Evaluator) -> Evaluator:
    """A value, or another where it is missing, false or empty; 0 is a value."""

    def value(names: Names) -> object:
        found, other = left(names), otherwise(names)
        if found is None or found is False:
            return other
        if isinstance(found, EMPTIABLE):
            return found or other
        if isinstance(found, NUMBER):
            return found
        raise Unsure

    return value


def called(function: Callable[..., object], left: Evaluator, given: list[Evaluator]) -> Evaluator:
    """What a filter makes of values that are there."""

    def value(names: Names) -> object:
        values = [one(names) for one in (left, *given)]
        if any(one is None for one in values):
            raise Unsure
        try:
            return function(*values)
        except TypeError as error:
            raise Unsure from error

    return value
