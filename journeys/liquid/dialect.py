"""The tags and the two environments (text and HTML) in which parts of a message are parsed."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TextIO

from liquid import BoundTemplate, Environment, Expression, RenderContext, Token
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import LiquidError, OutputStreamLimitError
from liquid.output import LimitedStringIO
from liquid.stringify import to_liquid_string
from liquid.undefined import UNDEFINED

from journeys.liquid.filters import date, guarded, to_json
from journeys.liquid.values import MOST_ITERATIONS, Missing, MissingPath, bounded, whole

MOST_BYTES = 1_000_000
PLAIN_SCOPE = 5  # namespaces of a part outside any block
LEFT_OUT = ("include", "render", "tablerow")


class Context(RenderContext):
    """Looks variables up, null being as good as missing."""

    def get(
        self, path: list[object], *, token: Token | None, default: object = UNDEFINED
    ) -> object:
        value = self._plainly(path) or super().get(path, token=token, default=None)
        if value is None:
            return Missing(dotted(path), token=token) if default is UNDEFINED else default
        return bounded(value)

    def _plainly(self, path: list[object]) -> object:
        """What lies in dictionaries within dictionaries, by far the most of what is asked for."""
        value: object = self.globals
        for name in path:
            if type(value) is not dict:
                return None
            value = value.get(name)
        return value if path[0] not in self.locals and self.scope.size() == PLAIN_SCOPE else None


class Buffer(LimitedStringIO):
    """What is written, counted without encoding what needs none."""

    def write(self, text: str) -> int:
        self.size += len(text) if text.isascii() else len(text.encode())
        if self.size > self.limit:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        return super(LimitedStringIO, self).write(text)


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


class Content(BoundTemplate):
    """A parsed part."""

    context_class = Context

    def _get_buffer(self) -> LimitedStringIO:
        return Buffer(MOST_BYTES)

    def make_globals(self, render_args: Mapping[str, object] | None = None) -> Mapping[str, object]:
        """The data as they are given: an environment of ours has none of its own."""
        return render_args or {}


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
def parse(source: str, is_html: bool) -> BoundTemplate:
    """The parsed part, once a process; raises LiquidError."""
    return (HTML if is_html else PLAIN).from_string(source)


def line_of(error: LiquidError, source: str) -> int:
    """The line that an error speaks of, 1 when it names none."""
    if error.token is None:
        return 1
    index = error.token.start_index
    return source.count("\n", 0, index if index >= 0 else len(source)) + 1
