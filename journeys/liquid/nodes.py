"""The nodes that are ours, and where they look variables up, as python-liquid walks them."""

from collections.abc import Mapping, Sequence
from typing import TextIO

from liquid import BoundTemplate, Expression, RenderContext, Token
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.stringify import to_liquid_string
from liquid.undefined import UNDEFINED

from journeys.liquid.values import Missing, MissingPath, bounded, whole

PLAIN_SCOPE = 5  # namespaces of a part outside any block
NOTHING: Mapping[str, object] = {}


class Context(RenderContext):
    """Looks variables up, null being as good as missing."""

    def get(
        self, path: list[object], *, token: Token | None, default: object = UNDEFINED
    ) -> object:
        value = self.plainly(path) or super().get(path, token=token, default=None)
        if value is None:
            return Missing(dotted(path), token=token) if default is UNDEFINED else default
        return bounded(value)

    def plainly(self, path: Sequence[object]) -> object:
        """What lies in dictionaries within dictionaries, by far the most of what is asked for."""
        value: object = self.globals
        try:
            for name in path:
                if type(value) is not dict:
                    return None
                value = value.get(name)
            is_plain = path[0] not in self.locals and self.scope.size() == PLAIN_SCOPE
        except TypeError:  # a list or a dictionary is no name
            return None
        return value if is_plain else None


def opened(content: BoundTemplate, names: Mapping[str, object]) -> Context:
    """Where a part that nothing includes looks up what it knows."""
    context = Context(content, globals=names)
    context.scope.push(NOTHING)
    return context


def dotted(path: list[object]) -> str:
    """A path as its author writes it: `entry.items[0].name`."""
    text = str(path[0])
    for segment in path[1:]:
        text += f".{segment}" if isinstance(segment, str) else f"[{segment}]"
    return text


def show(expression: Expression, token: Token, context: RenderContext, buffer: TextIO) -> int:
    """Prints what the expression gives: whole numbers without a fraction, null never."""
    value = expression.evaluate(context)
    if value is None:
        raise MissingPath(str(expression), token)
    return buffer.write(to_liquid_string(whole(value), context.autoescape))


class Print(OutputNode):
    """`{{ … }}`."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return show(self.expression, self.token, context, buffer)


class PrintTag(Output):
    """Makes `{{ … }}` ours."""

    node_class = Print


class Echo(EchoNode):
    """`{% echo … %}`, the same inside `{% liquid %}`."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return show(self.expression, self.token, context, buffer)


class EchoOurs(EchoTag):
    """Makes `{% echo %}` ours."""

    node_class = Echo


class Loop(ForNode):
    """`{% for %}`, which refuses a range that is too long before it walks it backwards."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if isinstance(self.expression.iterable, RangeLiteral):
            bounded(self.expression.iterable.evaluate(context))
        return super().render_to_output(context, buffer)


class LoopTag(ForTag):
    """Makes `{% for %}` ours."""

    node_class = Loop
