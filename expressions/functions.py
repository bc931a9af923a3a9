"""What we add to CEL: one table, a row a function.

A row holds everything about its function: how it is called and how it is evaluated over the facts
of one customer.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum
from operator import attrgetter

from cel_expr_python import cel
from google.protobuf.timestamp_pb2 import Timestamp

from expressions.facts import Facts, Json, PastEvent, Wanted, project

OCCURRED_AT = "occurred_at"
TIME = attrgetter("occurred_at")


@dataclass(frozen=True, slots=True)
class Present:
    """What the evaluation under way may see, and which properties of past events it reads."""

    facts: Facts
    wanted: Wanted


PRESENT: ContextVar[Present] = ContextVar("parcours_expression")


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function, and its evaluator."""

    id: str
    parameters: tuple[cel.Type, ...]
    returns: cel.Type
    evaluate: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Function:
    """A row: name, how it is written, its signatures; `shown` puts its value among the operands."""

    name: str
    usage: str
    signatures: tuple[Signature, ...]
    shown: bool = False


def instant(moment: datetime) -> Timestamp:
    """A time as CEL takes it inside a map, where a `datetime` is refused."""
    converted = Timestamp()
    converted.FromDatetime(moment)
    return converted


def seen(event: PastEvent, wanted: Wanted) -> dict[str, object]:
    """A past event as a map: the properties that are read, and when it occurred."""
    properties = project(event.properties, wanted)
    found: dict[str, object] = dict(properties) if isinstance(properties, dict) else {}
    if wanted is None or OCCURRED_AT in wanted:
        found[OCCURRED_AT] = instant(event.occurred_at)
    return found


def past_events(name: str, within: timedelta | None = None) -> list[dict[str, object]]:
    """The customer's events of that name up to now, later than `within` before now."""
    present = PRESENT.get()
    now = present.facts.now
    past = present.facts.history.get(name, ())
    start = 0 if within is None else bisect_right(past, now - within, key=TIME)
    stop = bisect_right(past, now, key=TIME)
    return [seen(event, present.wanted) for event in past[start:stop]]


def total(items: Sequence[Json]) -> float:
    """The sum of numbers, rounded once; anything else among them makes it unknown."""
    numbers = [n for n in items if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(numbers) != len(items):
        raise TypeError("sum() takes numbers only")
    return fsum(numbers)


def days(count: float) -> timedelta:
    """That many times 24 hours."""
    return timedelta(days=count)


def hours(count: float) -> timedelta:
    """That many hours."""
    return timedelta(hours=count)


T = cel.Type
EVENTS = T.List(T.Map(T.STRING, T.DYN))

FUNCTIONS: tuple[Function, ...] = (
    Function(
        "events",
        'events("Name") or events("Name", days(30))',
        shown=True,
        signatures=(
            Signature("events_name", (T.STRING,), EVENTS, past_events),
            Signature("events_name_within", (T.STRING, T.DURATION), EVENTS, past_events),
        ),
    ),
    Function(
        "sum",
        'sum(events("Name").map(e, e.total))',
        shown=True,
        signatures=(Signature("sum_list", (T.List(T.DYN),), T.DOUBLE, total),),
    ),
    Function(
        "days",
        "days(30)",
        signatures=(
            Signature("days_int", (T.INT,), T.DURATION, days),
            Signature("days_double", (T.DOUBLE,), T.DURATION, days),
        ),
    ),
    Function(
        "hours",
        "hours(12)",
        signatures=(
            Signature("hours_int", (T.INT,), T.DURATION, hours),
            Signature("hours_double", (T.DOUBLE,), T.DURATION, hours),
        ),
    ),
    Function(
        "lower",
        "lower(customer.plan)",
        signatures=(Signature("lower_string", (T.STRING,), T.STRING, str.lower),),
    ),
)
