"""The functions over single values that we add to CEL."""

from datetime import timedelta
from functools import cache

LETTERS = range(0x20000)  # beyond these two planes no letter has a case


@cache
def lowered() -> dict[int, str]:
    """The letters that have a lower case: one becomes one, so that SQL can do the same."""
    found = {code: chr(code).lower() for code in LETTERS}
    return {code: low for code, low in found.items() if len(low) == 1 and low != chr(code)}


def days(count: float) -> timedelta:
    """That many times 24 hours."""
    return timedelta(days=count)


def hours(count: float) -> timedelta:
    """That many hours."""
    return timedelta(hours=count)


def lower(text: str) -> str:
    """The text in lower case, letter by letter."""
    return text.lower() if text.isascii() else text.translate(lowered())
