"""Conditions, which hold, do not hold or are unknown, and values, which are known or not."""

import re
from collections.abc import Collection
from functools import lru_cache

from expressions.direct import direct
from expressions.errors import ExpressionError, UnknownValue
from expressions.evaluators import Unknown, Unsure
from expressions.facts import Facts, Json, Verdict
from expressions.needs import Path
from expressions.operands import Missing, descend, observe, operands
from expressions.program import ALL, Program, plain, program

ABSENT_KEY = re.compile(r'Key not found in map : "(.*)"')
NUMBER = re.compile(r"\b(double|int64|uint64)\b")
NO_OVERLOAD = re.compile(r"No matching overloads found : (\S+?)(?:\((.*)\))?$")


class Condition:
    """A yes-or-no expression."""

    __slots__ = ("_direct", "_operands", "needs", "program", "source")

    def __init__(self, compiled: Program) -> None:
        self.source = compiled.source
        self.needs = compiled.reading.needs()
        self.program = compiled
        self._direct = direct(compiled)
        self._operands = operands(compiled)

    def holds(self, facts: Facts) -> bool:
        """Whether it is known to hold."""
        try:
            if self._direct is not None:
                return self._direct(facts, ()) is True
        except Unknown:
            return False
        except Unsure:
            pass
        result = self.program.evaluate(facts)
        return result is not None and result.plain_value() is True

    def judge(self, facts: Facts) -> Verdict:
        """Whether it holds, with what it looked at and, if unknown, why."""
        values, missing = observe(self._operands, facts)
        if (known := self._known(facts)) is not None:
            return Verdict(known, values)
        result = self.program.evaluate(facts)
        if result is None:
            return Verdict(None, values, "the facts hold a value that no expression can read")
        answer = result.plain_value()
        if isinstance(answer, bool):
            return Verdict(answer, values)
        if result.type().name() != "ERROR":
            return Verdict(None, values, f"the result is {_shown(answer)}, neither true nor false")
        return Verdict(None, values, _reason(str(answer), missing))

    def _known(self, facts: Facts) -> bool | None:
        """The answer where CEL need not be asked for it."""
        if self._direct is None:
            return None
        try:
            answer = self._direct(facts, ())
        except (Unknown, Unsure):
            return None
        return answer if isinstance(answer, bool) else None


class Value:
    """An expression whose result is wanted as it is: a key, an attribute's new value."""

    __slots__ = ("_operands", "_path", "_program", "needs", "source")

    def __init__(self, compiled: Program) -> None:
        self.source = compiled.source
        self.needs = compiled.reading.needs()
        self._program = compiled
        self._operands = operands(compiled)
        self._path = _sole_path(compiled)

    def of(self, facts: Facts) -> Json:
        """The result as JSON; raises UnknownValue. A plain path keeps its value to the digit."""
        if self._path is not None:
            try:
                return descend(self._path, facts)
            except Missing as error:
                raise UnknownValue(f"{self.source.strip()} is missing") from error
        result = self._program.evaluate(facts)
        if result is None:
            raise UnknownValue("the facts hold a value that no expression can read")
        answer = result.plain_value()
        if result.type().name() == "ERROR":
            raise UnknownValue(_reason(str(answer), observe(self._operands, facts)[1]))
        return plain(answer)


def _sole_path(compiled: Program) -> Path | None:
    """The path, when the whole expression is one plain selection."""
    paths = list(compiled.reading.paths)
    if len(paths) != 1 or paths[0].root == "now" or paths[0].is_asked_for:
        return None
    written = ".".join((paths[0].root, *paths[0].segments))
    return paths[0] if compiled.source.strip() == written else None


def _shown(answer: object) -> str:
    if isinstance(answer, int | float):
        return "a number"
    return {type(None): "null", str: "text", list: "a list"}.get(type(answer), "something else")


def _reason(said: str, missing: list[str]) -> str:
    """Why a result is unknown: what is missing, first what CEL stumbled over, or what it says."""
    absent = ABSENT_KEY.search(said)
    if missing and (absent or "No value with name" in said):
        key = absent[1] if absent else ""
        missing = sorted(missing, key=lambda text: key not in text)
        return ", ".join(missing) + (" is missing" if len(missing) == 1 else " are missing")
    if absent:
        return f"`{absent[1]}` is missing"
    if overload := NO_OVERLOAD.search(said):
        name = overload[1].replace("_", " ").strip()
        kinds = NUMBER.sub("number", overload[2] or "this value").replace("null_type", "null")
        return f"`{name}` does not take ({kinds})"
    return said.partition(": ")[2] or said


@lru_cache(maxsize=4_096)
def _condition(source: str, roots: frozenset[str]) -> Condition:
    compiled = program(source, roots)
    if compiled.result not in {"BOOL", "DYN"}:
        message = f"this is a {compiled.result.lower()}, not a yes or a no"
        raise ExpressionError(source, 1, 1, message, 'compare it with something: … > 0, … == "x"')
    return Condition(compiled)


@lru_cache(maxsize=4_096)
def _value(source: str, roots: frozenset[str]) -> Value:
    return Value(program(source, roots))


def condition(source: str, *, roots: Collection[str] = ALL) -> Condition:
    """The condition of that text, where those variables are available; raises ExpressionError."""
    return _condition(source, frozenset(roots))


def value(source: str, *, roots: Collection[str] = ALL) -> Value:
    """The value of that text, where those variables are available; raises ExpressionError."""
    return _value(source, frozenset(roots))
