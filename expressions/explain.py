"""Turns what the CEL compiler says into a place, a sentence and a hint."""

import re
from collections.abc import Collection
from difflib import get_close_matches

from expressions.errors import ExpressionError
from expressions.functions import FUNCTIONS
from expressions.needs import ROOTS

COMPLAINT = re.compile(
    r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?=\n \||\nERROR: | \[INVALID|$)", re.DOTALL
)
UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
UNREADABLE = re.compile(r"token recognition error at: '(.)")
NO_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '([^']*)'")
OPERATORS = {"=": "==", "&": "&&", "|": "||"}
WORDS = {"and": "&&", "or": "||", "not": "!"}
LITERALS = {"none": "null", "nil": "null", "null": "null", "true": "true", "false": "false"}


def explain(source: str, said: str, roots: Collection[str]) -> ExpressionError:
    """The first complaint of the compiler about `source`, said to its author."""
    match = COMPLAINT.search(said)
    if match is None or int(match[1]) < 1:
        if "recursion" in said:
            said = "the expression is nested too deeply; 32 levels are the limit"
        return ExpressionError(source, 1, 1, said)
    line, column, text = int(match[1]), int(match[2]), match[3].removeprefix("Syntax error: ")
    if not source.strip():
        return ExpressionError(source, 1, 1, "the expression is empty")
    message, hint = _unreadable(text) or _overload(text) or (text, None)
    if undeclared := UNDECLARED.search(text):
        written = source.splitlines()[line - 1]
        message, hint = _undeclared(undeclared[1], written[column - 1 :], written, roots)
    elif "mismatched input" in text or "extraneous input" in text:
        message, hint = _misplaced(text, source.splitlines()[line - 1], column)
    return ExpressionError(source, line, column, message, hint)


def _unreadable(text: str) -> tuple[str, str | None] | None:
    match = UNREADABLE.match(text)
    if match is None:
        return None
    if match[1] in OPERATORS:
        return f"`{match[1]}` is not an operator", f"write `{OPERATORS[match[1]]}`"
    if match[1] in "'\"":
        return "the text that starts here has no closing quote", None
    return f"`{match[1]}` cannot stand here", 'write names of other alphabets as customer["name"]'


def _misplaced(text: str, written: str, column: int) -> tuple[str, str | None]:
    for word in re.findall(r"\w+", written[: column + 2])[-2:]:
        if operator := WORDS.get(word.lower()):
            return f"`{word}` is not an operator", f"write `{operator}`"
    if "'<EOF>'" in text:
        return "the expression ends too early", "a value or a closing bracket is missing"
    return text.split(" expecting ")[0], None


def _overload(text: str) -> tuple[str, str | None] | None:
    match = NO_OVERLOAD.search(text)
    if match is None:
        return None
    name, kinds = match[1], match[2].strip("()")
    hint = None
    for function in FUNCTIONS:
        if function.name == name:
            hint = f"write {function.usage}"
    if {"int", "double"} == set(kinds.split(", ")):
        hint = "write both numbers with a decimal point, or both without"
    return f"`{name.replace('_', ' ').strip()}` does not take ({kinds})", hint


def _undeclared(
    name: str, rest: str, written: str, roots: Collection[str]
) -> tuple[str, str | None]:
    functions = {function.name: function.usage for function in FUNCTIONS}
    root = name.split(".")[0]
    if name in functions:
        return f"`{name}` is not called like this", f"write {functions[name]}"
    if rest.startswith("("):
        known = ", ".join(sorted(functions))
        return f"there is no function `{name}`", _nearest(name, functions) or f"there are: {known}"
    if root.lower() in LITERALS:
        return f"there is no `{root}`", f"write `{LITERALS[root.lower()]}`"
    available = "available here: " + ", ".join(sorted(roots))
    if root in ROOTS:
        return f"`{root}` is not available here", available
    hint = _nearest(root, roots)
    if hint is None and f"= {root}" in written:
        hint = f'text stands in quotes: "{root}"; {available}'
    return f"there is no `{root}`", hint or available


def _nearest(name: str, known: Collection[str]) -> str | None:
    near = get_close_matches(name, sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else None
