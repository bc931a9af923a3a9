"""The functions over lists that we add to CEL."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Context, Decimal
from math import isnan

from google.protobuf.duration_pb2 import Duration

from expressions.present import instant

# Wide enough for the exact sum of any doubles; infinities go their way instead of raising.
EXACTLY = Context(prec=1_500, Emax=999_999, Emin=-999_999, traps=[])


def total(items: Sequence[object]) -> float:
    """The sum of numbers as they are written, 0.1 and 0.2 being 0.3, rounded once."""
    found = Decimal(0)
    for number in items:
        if not isinstance(number, int | float) or isinstance(number, bool):
            raise TypeError("sum() takes numbers only")
        found = EXACTLY.add(found, Decimal(repr(number)))
    return float(found)


def smallest(items: Sequence[object]) -> object:
    """The smallest of numbers or the earliest of times."""
    return _extreme("min", min, items)


def largest(items: Sequence[object]) -> object:
    """The largest of numbers or the latest of times."""
    return _extreme("max", max, items)


def first(items: Sequence[object]) -> object:
    """The first of a list."""
    return _at("first", items, 0)


def last(items: Sequence[object]) -> object:
    """The last of a list."""
    return _at("last", items, -1)


def _extreme(name: str, of: Callable[..., object], items: Sequence[object]) -> object:
    if not items:
        raise ValueError(f"{name}() of an empty list")
    if all(isinstance(one, datetime) for one in items):
        return returned(of(items))
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in items):
        raise TypeError(f"{name}() takes numbers only, or times only")
    if any(isnan(one) for one in items):  # type: ignore[arg-type]  # numbers, as seen above
        raise ValueError(f"{name}() of what is not a number")
    return of(items)


def _at(name: str, items: Sequence[object], index: int) -> object:
    if not items:
        raise ValueError(f"{name}() of an empty list")
    return returned(items[index])


def returned(value: object) -> object:
    """A value as CEL takes it back: times as messages, however deep."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, timedelta):
        converted = Duration()
        converted.FromTimedelta(value)
        return converted
    if isinstance(value, Mapping):
        return {key: returned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [returned(item) for item in value]
    return value
