"""From the text of a cell to an attribute's value, of the type that is wanted or it looks like."""

import re
from math import isfinite

from audiences.imports.flaws import VALUE_LENGTH, FlawKind
from audiences.imports.options import ValueType

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
EXACT_DIGITS = 15  # what a double holds of every number
BOOLEANS = {"true": True, "false": False}

Value = str | int | float | bool


class Unfit(Exception):
    """A value that cannot be taken."""

    def __init__(self, kind: FlawKind) -> None:
        super().__init__(kind)
        self.kind = kind


def value_in(text: str, type: ValueType | None, is_suspect: bool) -> Value:
    """A value with its type.

    Where none is wanted, dates stay text, and so do digits that a number would not give back: a
    leading zero, a card number.
    """
    if len(text) > VALUE_LENGTH:
        raise Unfit("value_too_long")
    if is_suspect:
        check(text)
    if type == "text":
        return text
    if type == "number":
        return number_in(text)
    truth = BOOLEANS.get(text.lower())
    if truth is not None:
        return truth
    if type == "boolean":
        raise Unfit("not_boolean")
    try:
        return number_in(text) if sum(map(str.isdigit, text)) <= EXACT_DIGITS else text
    except Unfit:
        return text


def number_in(text: str) -> int | float:
    """The number that a text writes as JSON does."""
    match = NUMBER.fullmatch(text)
    if match is None:
        raise Unfit("not_number")
    if match[1] is None and match[2] is None and len(text) <= EXACT_DIGITS:
        return int(text)
    number = float(text)
    if not isfinite(number):
        raise Unfit("not_number")
    return number


def check(text: str) -> None:
    """Refuse what no database keeps: NUL, and bytes that are no UTF-8."""
    if "\0" in text:
        raise Unfit("unfit")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise Unfit("not_text")
