"""The tags and the two environments (text and HTML) in which parts of a message are parsed."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TextIO, cast

from liquid import BoundTemplate, Environment, Expression, RenderContext, Token, escape
from liquid.builtin.expressions.filtered import FilteredExpression
from liquid.builtin.expressions.path import Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import (
    LiquidError,
    LiquidInterrupt,
    LiquidSyntaxError,
    OutputStreamLimitError,
    StopRender,
)
from liquid.output import LimitedStringIO
from liquid.stringify import to_liquid_string
from liquid.undefined import UNDEFINED

from journeys.liquid.filters import date, guarded, to_json
from journeys.liquid.values import MOST_ITERATIONS, Missing, MissingPath, bounded, whole

MOST_BYTES = 1_000_000
PLAIN_SCOPE = 5  # namespaces of a part outside any block
LEFT_OUT = ("include", "render", "tablerow")
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


class Buffer(LimitedStringIO):
    """What is written, counted without encoding what needs none, and put together once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._pieces: list[str] = []

    def write(self, text: str) -> int:
        self._pieces.append(text)
        self.size += len(text) if text.isascii() else len(text.encode())
        if self.size > self.limit:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        return len(text)

    def getvalue(self) -> str:
        return "".join(self._pieces)


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
    """`{{ … }}`; a text that lies where its path leads is printed without further ado."""

    __slots__ = ("names",)

    def __init__(self, token: Token, expression: Expression) -> None:
        super().__init__(token, expression)
        self.names = names_of(expression)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if self.names is not None and isinstance(context, Context):
            value = context.plainly(self.names)
            if type(value) is str and value:
                return buffer.write(escape(value) if context.autoescape else value)
        return show(self.expression, self.token, context, buffer)


def names_of(expression: Expression) -> list[str] | None:
    """The names on a path that alone says what is printed, if it leads to a text."""
    if type(expression) is not FilteredExpression or type(expression.left) is not Path:
        return None
    if any(one.name != "default" for one in expression.filters or ()):
        return None
    names = [one for one in expression.left.path if isinstance(one, str)]
    return names if len(names) == len(expression.left.path) else None


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


class Content(BoundTemplate):
    """A parsed part."""

    context_class = Context

    def rendered(self, data: Mapping[str, object]) -> str:
        """The part with these data; as `render` does it for a template that nothing includes.

        Raises:
            LiquidError: the data do not fit, or it becomes too long.
        """
        context, buffer = Context(self, globals=data), Buffer(MOST_BYTES)
        context.scope.push(NOTHING)
        for node in self.nodes:
            try:
                node.render_to_output(context, buffer)
            except LiquidInterrupt as interrupt:
                self.env.error(LiquidSyntaxError(f"unexpected '{interrupt}'", token=node.token))
            except StopRender:
                break
        return buffer.getvalue()


class Dialect(Environment):
    """The environment in which parts are parsed."""

    template_class = Content
    loop_iteration_limit = MOST_ITERATIONS
    output_stream_limit = MOST_BYTES
    local_namespace_limit = MOST_BYTES

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for name in LEFT_OUT:
            del self.tags[name]
        for tag in (PrintTag, EchoOurs, LoopTag):
            self.add_tag(tag)
        self.add_filter("date", date)
        self.add_filter("json", to_json)
        for name, function in self.filters.items():
            if name != "default":
                self.filters[name] = guarded(name, function)


PLAIN = Dialect(undefined=Missing)
HTML = Dialect(undefined=Missing, autoescape=True)


@lru_cache(maxsize=4_096)
def parse(source: str, is_html: bool) -> Content:
    """The parsed part, once a process; raises LiquidError."""
    return cast(Content, (HTML if is_html else PLAIN).from_string(source))


def line_of(error: LiquidError, source: str) -> int:
    """The line that an error speaks of, 1 when it names none."""
    if error.token is None:
        return 1
    index = error.token.start_index
    return source.count("\n", 0, index if index >= 0 else len(source)) + 1
