"""Renders what most parts are made of without walking python-liquid's tree, node by node.

A part becomes functions, made once of its nodes. What they are not made for is left to
python-liquid, and so is whatever stops a part: where they come to a text, it is the same text.
No code is generated: what authors write is only ever a value that these functions hold.
"""

from collections.abc import Sequence

from liquid import BoundTemplate, Expression, Node
from liquid.ast import BlockNode
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.liquid_tag import LiquidNode
from liquid.builtin.tags.unless_tag import UnlessNode

from journeys.liquid.comparisons import equal
from journeys.liquid.evaluators import Evaluator, Evaluators, Names, Test, compared, constant
from journeys.liquid.nodes import Echo, Loop, Print
from journeys.liquid.writers import (
    MOST_ASSIGNED,
    Items,
    Writer,
    assigned,
    captured,
    chosen,
    joined,
    listed,
    matched,
    printed,
    repeated,
    unseen,
    whole_part,
)


class Unfit(Exception):
    """Python-liquid renders the part, whatever the data."""


def direct(content: BoundTemplate) -> Writer | None:
    """The part as a function, which may raise Unsure; None when it is for python-liquid."""
    maker = Maker(content)
    try:
        write = maker.sequence(content.nodes)
    except Unfit:
        return None
    return whole_part(write, is_assigning=maker.assigned > 0)


class Maker:
    """Makes functions of the nodes of a part; raises Unfit for what is left to python-liquid."""

    def __init__(self, content: BoundTemplate) -> None:
        self.assigned = 0
        self._depth = 0
        self._env = content.env
        self._make = Evaluators(content)

    def sequence(self, nodes: Sequence[Node]) -> Writer:
        """One node after another."""
        return joined([self._piece(node) for node in nodes])

    def _piece(self, node: Node) -> str | Writer:
        match node:
            case ContentNode():
                return encodable(node.text)
            case Print() | Echo():
                return printed(self._make.value(node.expression), is_html=self._env.autoescape)
            case CommentNode():
                return ""
        return self._tag(node)

    def _tag(self, node: Node) -> Writer:
        match node:
            case IfNode() | UnlessNode():
                return self._choice(node)
            case CaseNode():
                return self._case(node)
            case Loop():
                return self._loop(node)
            case AssignNode():
                return self._assignment(node.name, self._make.value(node.expression))
            case CaptureNode():
                block = self._block(node.block)
                return self._assignment(node.name, captured(block, is_html=self._env.autoescape))
            case LiquidNode():
                return self._block(node.block)
        raise Unfit

    def _block(self, node: BlockNode | None) -> Writer:
        """What stands in a tag; nothing is seen of it when it is blank."""
        write = self.sequence(node.nodes if node else ())
        return unseen(write) if node and node.blank else write

    def _choice(self, node: IfNode | UnlessNode) -> Writer:
        holds = self._make.holds(node.condition)
        first = negated(holds) if isinstance(node, UnlessNode) else holds
        arms = [(first, self._block(node.consequence))]
        for one in node.alternatives:
            arms.append((self._make.holds(one.expression), self._block(one.block)))
        return chosen(arms, self._block(node.default))

    def _case(self, node: CaseNode) -> Writer:
        left = self._make.value(node.expression)
        arms: list[tuple[list[Test] | None, Writer]] = []
        for one in node.blocks:
            if isinstance(one, MultiExpressionBlockNode):
                rights = map(self._make.value, one.expression.expressions)
                arms.append((
                    [compared(equal, left, right) for right in rights],
                    self._block(one.block),
                ))
            else:
                arms.append((None, self._block(one)))
        return matched(arms)

    def _assignment(self, name: str, given: Evaluator) -> Writer:
        """Of the part as a whole: a loop forgets what it has given names to."""
        self.assigned += 1
        if self._depth or self.assigned > MOST_ASSIGNED:
            raise Unfit
        return assigned(str(name), given)

    def _loop(self, node: Loop) -> Writer:
        """Over a list, in one other loop at most."""
        asked = node.expression
        if asked.identifier == "forloop" or asked.offset is not None or self._depth == 2:
            raise Unfit
        items = self._items(asked.iterable, limit(asked.limit), is_reversed=asked.reversed)
        otherwise = self._block(node.default)
        parent = (
            outer_loop if self._depth else constant(self._env.undefined("parentloop", token=None))
        )
        self._depth += 1
        block = self._block(node.block)
        self._depth -= 1
        title = f"{asked.identifier}-{asked.iterable}"
        return repeated(str(asked.identifier), title, items, parent, block, otherwise)

    def _items(self, iterable: Expression, most: int | None, *, is_reversed: bool) -> Items:
        if isinstance(iterable, RangeLiteral):
            raise Unfit
        return listed(self._make.value(iterable), most, is_reversed=is_reversed)


def encodable(text: str) -> str:
    """The text, which python-liquid refuses when UTF-8 has no place for it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unfit from error
    return text


def limit(node: Expression | None) -> int | None:
    """How many items a loop goes through at most; python-liquid takes 0 for all of them."""
    if node is None:
        return None
    if isinstance(node, IntegerLiteral) and node.value > 0:
        return node.value
    raise Unfit


def negated(holds: Test) -> Test:
    """`unless`."""
    return lambda names: not holds(names)


def outer_loop(names: Names) -> object:
    """The loop around a loop."""
    return names["forloop"]
