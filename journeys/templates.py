"""Messages as their authors write them: Liquid parts, checked before publishing, then rendered.

Where the data come from and who carries the message is for others.
"""

import re
from collections.abc import Mapping

from liquid.exceptions import LiquidError

from journeys.errors import JourneyError
from journeys.liquid.checks import TemplateProblem, check_template, variables
from journeys.liquid.dialect import line_of, parse
from journeys.liquid.values import MissingPath
from journeys.model import Model
from journeys.steps.send import Channel

__all__ = [
    "MissingVariable",
    "Renderer",
    "Template",
    "TemplateError",
    "TemplateProblem",
    "check_template",
    "variables",
]

ONE_LINE = frozenset({"subject", "title"})
BREAKS = re.compile(r"\s*[\x00-\x1f\x7f\x85\u2028\u2029]+\s*")


class TemplateError(JourneyError):
    """A part cannot be rendered with these data."""

    def __init__(self, part: str, line: int, message: str) -> None:
        super().__init__(f"{part}, line {line}: {message}")
        self.part = part
        self.line = line
        self.message = message


class MissingVariable(TemplateError):
    """A part needs a variable that this customer does not have."""

    def __init__(self, path: str, part: str, line: int) -> None:
        super().__init__(part, line, f"{path} is missing")
        self.path = path


class Template(Model):
    """What a message says on one channel; which parts there are depends on the channel."""

    name: str
    channel: Channel
    parts: dict[str, str]


class Renderer:
    """Renders parts; each source is parsed once in a process."""

    def render(self, parts: Mapping[str, str], data: Mapping[str, object]) -> dict[str, str]:
        """The parts as text; raises MissingVariable, or TemplateError for anything else."""
        return {part: self._render(part, source, data) for part, source in parts.items()}

    def _render(self, part: str, source: str, data: Mapping[str, object]) -> str:
        try:
            text = parse(source, part == "html").rendered(data)
        except MissingPath as error:
            raise MissingVariable(error.path, part, line_of(error, source)) from error
        except LiquidError as error:
            raise TemplateError(part, line_of(error, source), str(error.message)) from error
        except (ArithmeticError, ValueError) as error:
            raise TemplateError(part, 1, str(error)) from error
        except Exception as error:  # values that a filter or a comparison was not made for
            raise TemplateError(part, 1, f"{type(error).__name__} in a value") from error
        if part not in ONE_LINE:
            return text
        return (text if text.isprintable() else BREAKS.sub(" ", text)).strip()
