"""The rules by which a condition turns with time, and the instants at which it could."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product

from cel.expr import syntax_pb2  # type: ignore[import-untyped]  # xds-protos ships no types

from expressions.facts import Facts
from expressions.origins import Origins, times
from expressions.present import OCCURRED_AT, window_of

TICK = timedelta(microseconds=1)
EDGES = (timedelta(seconds=2**63 // 10**9), -timedelta(microseconds=2**63 // 1000))
MOST = 100_000
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sum:
    """A length of time, a time being one since EPOCH: so often `now`, other times, and an offset.

    `parts` are those of the expression that other times come from.
    """

    now: int = 0
    sources: tuple[tuple[int, Origins], ...] = ()
    offset: timedelta = timedelta()
    parts: tuple[syntax_pb2.Expr, ...] = ()

    def plus(self, other: "Sum", sign: int) -> "Sum":
        """This and the other one, or this less the other one."""
        return Sum(
            self.now + sign * other.now,
            (*self.sources, *((sign * s, found) for s, found in other.sources)),
            self.offset + sign * other.offset,
            (*self.parts, *other.parts),
        )


@dataclass(slots=True)
class Horizon:
    """The rules by which one condition turns.

    Windows of lists pass an event, sums pass zero, lengths of time become too long for CEL.
    """

    windows: list[tuple[Origins, timedelta]] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    lengths: list[Sum] = field(default_factory=list)

    def next(self, facts: Facts) -> datetime | None:
        """The first of them that is still to come."""
        return min((one for one in self.candidates(facts) if one > facts.now), default=None)

    def candidates(self, facts: Facts) -> Iterator[datetime]:
        """Every instant at which a part could turn."""
        for found, window in self.windows:
            for origin in found:
                if origin.root == "events" and origin.path == (OCCURRED_AT,):
                    yield from next_in(origin.name, window, facts)
                else:
                    for time in times(frozenset({origin}), facts):
                        yield from (time, *later(time, window))
        for message in facts.messages or ():
            yield from filter(None, (message.opened_at, message.clicked_at))
        limits = (replace(one, offset=one.offset + edge) for one in self.lengths for edge in EDGES)
        for one in (*self.sums, *limits):
            for time in zeros(one, facts):
                yield from (time, *later(time, TICK))


def next_in(name: str, window: timedelta, facts: Facts) -> Iterator[datetime]:
    """When the next event of that name comes to pass, and when the next one leaves the window."""
    past = facts.history.get(name, ())
    try:
        start, stop = window_of(facts, name, window)
    except OverflowError:  # until then the window begins before the calendar does
        yield from later(datetime.min.replace(tzinfo=UTC), window)
        return
    if stop < len(past):
        yield past[stop].occurred_at
    if start < len(past):
        yield from later(past[start].occurred_at, window)


def later(time: datetime, by: timedelta) -> tuple[datetime, ...]:
    """That much later, where the calendar goes so far."""
    try:
        return (time + by,)
    except OverflowError:
        return ()


def zeros(of: Sum, facts: Facts) -> Iterator[datetime]:
    """The values of `now` at which a sum is zero."""
    choices = [[(sign, time) for time in set(times(found, facts))] for sign, found in of.sources]
    count = 1
    for one in choices:
        count *= len(one)
    if count > MOST:
        yield facts.now + timedelta(hours=1)
        return
    for combination in product(*choices):
        length = sum((sign * (time - EPOCH) for sign, time in combination), timedelta())
        try:
            yield EPOCH - of.now * (length + of.offset)
        except OverflowError:
            continue
