"""When a schedule takes place: its occurrences as instants, right across daylight saving.

Temporal's own calendars leave out a time that a night skips, so it is told these instants.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from journeys.schedule import Schedule
from journeys.timing import DAY, MIDNIGHT, instant_of, read_date, zone_named

HORIZON = timedelta(days=3660)  # how far a rule is looked through
MOMENT = timedelta(microseconds=1)


def occurrences(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The instants later than `after` at which a run of `schedule` begins, in order."""
    zone = schedule.clock
    if schedule.starts is not None:
        after = max(after, instant_of(datetime.combine(schedule.starts, MIDNIGHT), zone) - MOMENT)
    last = after
    for instant in _instants(schedule, after, zone):
        if schedule.until is not None and instant.astimezone(zone).date() > schedule.until:
            return
        if instant > last:
            last = instant
            yield instant


def _instants(schedule: Schedule, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The same, where two local times may be one instant and the first may be too early."""
    if schedule.at is not None:
        yield instant_of(schedule.at, zone)
    elif schedule.cron is not None:
        try:
            for found in CronSim(schedule.cron, after.astimezone(zone)):
                yield found.astimezone(UTC)
        except CronSimError:  # no such day in the next fifty years
            return
    else:
        local = after.astimezone(zone).replace(tzinfo=None)
        for wall in schedule.walls(local + HORIZON):
            if wall > local - DAY:  # before a gap it may stand for an instant after it
                yield instant_of(wall, zone)


def due(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """The occurrences in (after, until]."""
    for instant in occurrences(schedule, after):
        if instant > until:
            return
        yield instant


def local_of(schedule: Schedule, at: datetime) -> datetime:
    """The local time that the occurrence at the instant `at` stands for."""
    return at.astimezone(schedule.clock).replace(tzinfo=None, fold=0)


# Each customer's own clock ---------------------------------------------------------


def legs(local: datetime) -> list[tuple[datetime, tuple[str, ...]]]:
    """The instants at which it is `local` somewhere on earth, in order, and in which zones."""
    found: dict[datetime, list[str]] = {}
    for name in zones():
        found.setdefault(instant_of(local, ZoneInfo(name)), []).append(name)
    return [(at, tuple(found[at])) for at in sorted(found)]


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Every time zone that there is."""
    return tuple(sorted(name for name in available_timezones() if zone_named(name)))


# Dates of customers ----------------------------------------------------------------


def falls_on(value: object, day: date, zone: ZoneInfo, *, every_year: bool) -> date | None:
    """The date in `value` if `day` is it, or (every year) its day and month; else None.

    29 February is 28 February in a year that has none. No year before the date itself counts.
    """
    found = read_date(value)
    if found is None:
        return None
    if isinstance(found, datetime):
        found = (found.astimezone(zone) if found.tzinfo else found).date()
    if not every_year or day <= found:
        return found if found == day else None
    return found if (day.month, day.day) in observed(found, day.year) else None


def observed(born: date, year: int) -> Iterable[tuple[int, int]]:
    """The month and day on which `born` is kept in `year`."""
    try:
        born.replace(year=year)
    except ValueError:
        return [(2, 28)]
    return [(born.month, born.day)]
