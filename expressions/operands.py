"""What an expression looked at: each operand as it is written, with the value it had."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from expressions.direct import direct
from expressions.evaluators import Unknown, Unsure
from expressions.facts import Facts, Json
from expressions.needs import Path
from expressions.program import Program, plain, program

LONGEST = 200
LISTS = frozenset({"events", "messages"})  # too long to be shown
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BRACKET = re.compile(
    r"""[rR]"[^"]*"|[rR]'[^']*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|//[^\n]*|[()]"""
)


class Missing(Exception):
    """The operand has no value."""


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand; `value` is short enough to keep, or raises Missing."""

    text: str
    value: Callable[[Facts], Json]


def operands(of: Program) -> tuple[Operand, ...]:
    """The operands of an expression, calls of ours first."""
    calls = [_call(of, node, name) for node, name in of.reading.calls.items()]
    paths = [Operand(_text(path), partial(_look_up, path)) for path in of.reading.paths]
    return (*calls, *paths)


def observe(found: tuple[Operand, ...], facts: Facts) -> tuple[dict[str, Json], list[str]]:
    """The values by operand, and the operands that have none."""
    values: dict[str, Json] = {}
    missing: list[str] = []
    for operand in found:
        try:
            values[operand.text] = operand.value(facts)
        except Missing:
            values[operand.text] = None
            missing.append(operand.text)
    return values, missing


def short(value: Json) -> Json:
    """The value as it is kept: long text cut, a collection as its count."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    return {"count": len(value)} if isinstance(value, Mapping | list | tuple) else value


def _text(path: Path) -> str:
    text = path.root
    for segment in path.segments:
        quoted = segment.replace("\\", "\\\\").replace('"', '\\"')
        text += f".{segment}" if IDENTIFIER.fullmatch(segment) else f'["{quoted}"]'
    return f"has({text})" if path.is_asked_for else text


def _look_up(path: Path, facts: Facts) -> Json:
    if path.root == "now":
        return facts.now.isoformat()
    try:
        value = descend(path, facts)
    except Missing:
        if path.is_asked_for:
            return False
        raise
    return True if path.is_asked_for else short(value)


def descend(path: Path, facts: Facts) -> Json:
    """The raw value that a path leads to; raises Missing."""
    value: Json = facts.root(path.root)
    if value is None:
        raise Missing
    for segment in path.segments:
        if not isinstance(value, Mapping) or segment not in value:
            raise Missing
        value = value[segment]
    return value


def _call(of: Program, node: int, name: str) -> Operand:
    text = _slice(of.source, of.checked.source_info.positions[node], name)
    is_list = name in LISTS
    asked = program(f"size({text})" if is_list else text)

    def value(facts: Facts) -> Json:
        found = plain(valued(asked, facts))
        return {"count": found} if is_list else short(found)

    return Operand(text, value)


def valued(asked: Program, facts: Facts) -> object:
    """What an expression comes to; raises Missing."""
    if (evaluate := direct(asked)) is not None:
        try:
            return evaluate(facts, ())
        except Unknown as error:
            raise Missing from error
        except Unsure:
            pass
    result = asked.evaluate(facts)
    if result is None or result.type().name() == "ERROR":
        raise Missing
    return result.plain_value()


def _slice(source: str, bracket: int, name: str) -> str:
    """The text of a call, from its name to the bracket that closes it."""
    start, depth = source.rindex(name, 0, bracket + 1), 0
    for match in BRACKET.finditer(source, bracket):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return source[start : match.end()]
    return source[start:]
