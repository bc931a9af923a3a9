"""Local times and their instants: what a wait works out, right across daylight saving.

Pure functions of an instant and a zone. A local time that a night skips stands for the first
instant after the gap; one that a night has twice stands for its first occurrence, and only that.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = time()
DAY = timedelta(days=1)
# A week finds every weekday; a second one is for a zone that left that weekday out once.
HORIZON = 16


def zone_named(name: object) -> ZoneInfo | None:
    """The time zone called `name`, or None where there is no such zone."""
    if not isinstance(name, str) or not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which clocks in `zone` first show `wall`, or the first after they skip it."""
    early = wall.replace(tzinfo=zone, fold=0)
    instant = early.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return instant
    return _end_of_gap(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second between `before` and `after` in which the clocks of `zone` are put forward."""
    offset = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        moved = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset
        low, high = (low, middle) if moved else (middle, high)
    return (before + timedelta(seconds=high)).replace(microsecond=0)


def _days(now: datetime, weekdays: Collection[str], zone: ZoneInfo) -> Iterator[date]:
    """The local days around and after `now` that count, without those the zone never had."""
    today = now.astimezone(zone).date()
    for ahead in range(-2, HORIZON):
        day = today + ahead * DAY
        if weekdays and WEEKDAYS[day.weekday()] not in weekdays:
            continue
        first = instant_of(datetime.combine(day, MIDNIGHT), zone)
        if first < instant_of(datetime.combine(day + DAY, MIDNIGHT), zone):
            yield day


def next_time(now: datetime, at: time, weekdays: Collection[str], zone: ZoneInfo) -> datetime:
    """The first instant after `now` at which it is `at` in `zone`, on one of `weekdays` if any."""
    return next(
        instant
        for day in _days(now, weekdays, zone)
        if (instant := instant_of(datetime.combine(day, at), zone)) > now
    )


def next_open(
    now: datetime, opens: time, closes: time, weekdays: Collection[str], zone: ZoneInfo
) -> datetime:
    """`now` inside the window, else the instant at which it opens next.

    A window that closes at or before the time it opens lasts into the next day; its weekday is
    that of the day it opened.
    """
    for day in _days(now, weekdays, zone):
        start = instant_of(datetime.combine(day, opens), zone)
        last = day if closes > opens else day + DAY
        end = instant_of(datetime.combine(last, closes), zone)
        if now < end and start < end:
            return max(now, start)
    raise ValueError(f"the window {opens} to {closes} does not open in {HORIZON} days")


def read_date(value: object) -> date | datetime | None:
    """A date or an instant out of an attribute: as such, or as ISO 8601 text."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def shifted(
    base: date | datetime, offset: timedelta, at: time | None, zone: ZoneInfo
) -> datetime | None:
    """The instant `offset` away from `base`, at the local time `at` if given; None out of range.

    Whole days move the calendar and keep the time of day; the rest is time that passes. A date
    without a time is its local midnight, a time without an offset from UTC is local.
    """
    days = int(offset / DAY)
    try:
        if isinstance(base, datetime) and base.tzinfo is not None and at is None and not days:
            return base.astimezone(UTC) + offset
        wall = _wall(base, zone) + days * DAY
        if at is not None:
            return instant_of(datetime.combine(wall.date(), at), zone)
        return instant_of(wall, zone) + (offset - days * DAY)
    except OverflowError:
        return None


def _wall(base: date | datetime, zone: ZoneInfo) -> datetime:
    """What clocks in `zone` show at `base`."""
    if not isinstance(base, datetime):
        return datetime.combine(base, MIDNIGHT)
    local = base if base.tzinfo is None else base.astimezone(zone)
    return local.replace(tzinfo=None, fold=0)
