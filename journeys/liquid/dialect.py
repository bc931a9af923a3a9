"""The tags and the two environments (text and HTML) in which parts of a message are parsed."""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import cast

from liquid import BoundTemplate, Environment
from liquid.exceptions import (
    LiquidError,
    LiquidInterrupt,
    LiquidSyntaxError,
    OutputStreamLimitError,
    StopRender,
)
from liquid.output import LimitedStringIO

from journeys.liquid.comparisons import Unsure
from journeys.liquid.direct import direct
from journeys.liquid.filters import date, guarded, to_json
from journeys.liquid.nodes import Context, EchoOurs, LoopTag, PrintTag, opened
from journeys.liquid.values import MOST_BYTES, MOST_ITERATIONS, Missing

LEFT_OUT = ("include", "render", "tablerow")


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


class Content(BoundTemplate):
    """A parsed part."""

    context_class = Context

    @cached_property
    def _direct(self) -> Callable[[dict[str, object]], str] | None:
        """The part without python-liquid, if it is made for that."""
        return direct(self)

    def rendered(self, data: Mapping[str, object]) -> str:
        """The part with these data.

        Raises:
            LiquidError: the data do not fit, or it becomes too long.
        """
        if self._direct is not None and type(data) is dict:
            try:
                return self._direct(data)
            except (Unsure, LiquidError, ArithmeticError, ValueError):
                pass  # python-liquid says what is wrong, if anything is
        return self.walked(data)

    def walked(self, data: Mapping[str, object]) -> str:
        """The part by python-liquid, as its `render` does it for one that nothing includes."""
        context, buffer = opened(self, data), Buffer(MOST_BYTES)
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
