"""What is wrong with the parts of a message as they are written, and which variables they read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from liquid import BoundTemplate
from liquid.exceptions import LiquidError
from liquid.static_analysis import Variable

from journeys.liquid.dialect import LEFT_OUT, line_of, parse
from journeys.steps.send import Channel

ROOTS = ("customer", "entry", "message", "steps")
MESSAGE = ("id", "now", "topic", "unsubscribe_url")
PARTS: dict[Channel, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "email": (("subject",), ("text", "html")),
    "sms": (("text",), ()),
    "push": (("title", "text"), ()),
    "whatsapp": (("text",), ()),
    "webhook": (("body",), ()),
}


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """Something wrong with a template as it is written."""

    part: str
    line: int
    message: str
    hint: str | None = None


def check_template(
    parts: Mapping[str, str], channel: Channel | None = None
) -> list[TemplateProblem]:
    """Everything that is wrong: syntax, unknown variables and filters, parts the channel lacks."""
    problems = [] if channel is None else _check_parts(parts, channel)
    for part, source in parts.items():
        try:
            content = parse(source, part == "html")
        except LiquidError as error:
            line, message = line_of(error, source), str(error.message)
            problems.append(TemplateProblem(part, line, message, _syntax_hint(message)))
        else:
            problems += _check_names(part, source, content)
    return problems


def variables(parts: Mapping[str, str]) -> frozenset[str]:
    """The dotted paths that the parts read: `customer.first_name`; a part must be well-formed."""
    found: set[str] = set()
    for part, source in parts.items():
        for uses in parse(source, part == "html").analyze().globals.values():
            found.update(".".join(_segments(use)) for use in uses)
    return frozenset(found)


def _check_parts(parts: Mapping[str, str], channel: Channel) -> list[TemplateProblem]:
    needed, choice = PARTS[channel]
    allowed = {*needed, *choice}
    named = ", ".join((*needed, *choice))
    problems = [
        TemplateProblem(part, 1, f"{channel} has no part '{part}'", f"its parts are: {named}")
        for part in parts
        if part not in allowed
    ]
    problems += [
        TemplateProblem(part, 1, f"{channel} needs the part '{part}'")
        for part in needed
        if not parts.get(part, "").strip()
    ]
    if choice and not any(parts.get(part, "").strip() for part in choice):
        lacking = f"{channel} needs {' or '.join(choice)}"
        problems.append(TemplateProblem(choice[0], 1, lacking))
    return problems


def _check_names(part: str, source: str, content: BoundTemplate) -> list[TemplateProblem]:
    found = content.analyze()
    problems = [
        TemplateProblem(part, use.span.line_col(source)[0], *complaint)
        for uses in found.globals.values()
        for use in uses
        if (complaint := _name_complaint(_segments(use)))
    ]
    problems += [
        TemplateProblem(
            part,
            span.line_col(source)[0],
            f"there is no filter '{name}'",
            _nearest(name, content.env.filters),
        )
        for name, spans in found.filters.items()
        for span in spans
        if name not in content.env.filters
    ]
    return sorted(problems, key=lambda problem: problem.line)


def _name_complaint(segments: tuple[str, ...]) -> tuple[str, str | None] | None:
    root = segments[0]
    if root not in ROOTS:
        hint = _nearest(root, ROOTS) or f"available: {', '.join(ROOTS)}"
        return f"there is no '{root}'", hint
    if root == "message" and len(segments) > 1 and segments[1] not in MESSAGE:
        hint = _nearest(segments[1], MESSAGE) or f"it has: {', '.join(MESSAGE)}"
        return f"message has no '{segments[1]}'", hint
    return None


def _segments(use: Variable) -> tuple[str, ...]:
    """The names at the start of a path, up to an index or a computed key."""
    names: list[str] = []
    for segment in use.segments:
        if not isinstance(segment, str):
            break
        names.append(segment)
    return tuple(names) or (str(use),)


def _nearest(name: str, known: Collection[str]) -> str | None:
    near = get_close_matches(name, sorted(known), n=1)
    return f"did you mean '{near[0]}'?" if near else None


def _syntax_hint(message: str) -> str | None:
    for tag in LEFT_OUT:
        if f"'{tag}'" in message:
            return f"'{tag}' is not available: every part stands by itself"
    return None
