"""Local times across zones and daylight saving."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journeys.timing import (
    WEEKDAYS,
    instant_of,
    next_open,
    next_time,
    read_date,
    shifted,
    zone_named,
)

ZONES = [
    "UTC", "Europe/London", "Europe/Berlin", "America/New_York", "America/Sao_Paulo",
    "America/St_Johns", "Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo",
    "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "America/Santiago", "Asia/Beirut",
    "Antarctica/Troll", "America/Nuuk", "Asia/Tehran", "Pacific/Kwajalein",
]  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(
    datetime(1975, 1, 1),  # noqa: DTZ001 bounds are naive by hypothesis' contract
    datetime(2037, 12, 1),  # noqa: DTZ001 likewise
    timezones=st.just(UTC),
)
clock_times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
weekdays = st.sets(st.sampled_from(WEEKDAYS)).map(tuple)
EARLIEST, LATEST = datetime.min, datetime.max  # noqa: DTZ901 local, and as far out as they go
BERLIN, LONDON, NEW_YORK = (
    ZoneInfo(name) for name in ("Europe/Berlin", "Europe/London", "America/New_York")
)


def utc(text: str) -> datetime:
    """An instant written without its offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_skipped(day: date, at: time, zone: ZoneInfo) -> bool:
    """Whether clocks in `zone` never show that."""
    wall = datetime.combine(day, at)
    there_and_back = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there_and_back.replace(tzinfo=None, fold=0) != wall


def test_a_time_that_the_night_skips_is_the_first_instant_after_the_gap() -> None:
    wall = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 what a clock shows

    assert instant_of(wall, BERLIN) == utc("2026-03-29T01:00")
    assert next_time(utc("2026-03-28T12:00"), time(2, 30), (), BERLIN) == utc("2026-03-29T01:00")


def test_a_time_that_the_night_has_twice_is_the_first_one_only() -> None:
    first = next_time(utc("2026-10-24T12:00"), time(2, 30), (), BERLIN)
    second = next_time(first, time(2, 30), (), BERLIN)

    assert first == utc("2026-10-25T00:30")
    assert second == utc("2026-10-26T01:30")


def test_a_day_that_a_zone_left_out_is_left_out() -> None:
    apia = ZoneInfo("Pacific/Apia")

    found = next_time(utc("2011-12-29T12:00"), time(9), ("fri",), apia)

    assert found.astimezone(apia).date() == date(2012, 1, 6)


@given(instants, clock_times, weekdays, zones)
@example(utc("2011-12-29T12:00"), time(9), ("fri",), ZoneInfo("Pacific/Apia"))
@example(utc("2018-11-03T12:00"), time(0), ("sun",), ZoneInfo("America/Sao_Paulo"))
def test_the_next_time_is_later_soon_and_right_on_the_clock(
    now: datetime, at: time, days: tuple[str, ...], zone: ZoneInfo
) -> None:
    found = next_time(now, at, days, zone)

    local = found.astimezone(zone)
    assert now < found <= now + timedelta(days=16)
    if local.time() != at:
        assert is_skipped(local.date(), at, zone) or local.time() == time()
    elif days:
        assert WEEKDAYS[local.weekday()] in days
    assert local.fold == 0


@given(instants, st.timedeltas(timedelta(0), timedelta(days=3)), clock_times, weekdays, zones)
def test_who_asks_later_is_never_told_an_earlier_time(
    now: datetime, later: timedelta, at: time, days: tuple[str, ...], zone: ZoneInfo
) -> None:
    first = next_time(now, at, days, zone)
    second = next_time(now + later, at, days, zone)

    assert first <= second
    assert (first == second) == (now + later < first)


@given(instants, clock_times, clock_times, weekdays, zones)
def test_a_window_opens_soon_and_stays_open_from_then_on(
    now: datetime, opens: time, closes: time, days: tuple[str, ...], zone: ZoneInfo
) -> None:
    found = next_open(now, opens, closes, days, zone)

    assert now <= found <= now + timedelta(days=16)
    assert next_open(found, opens, closes, days, zone) == found
    if found > now:
        at = found.astimezone(zone)
        assert at.time() == opens or is_skipped(at.date(), opens, zone) or at.time() == time()


@given(instants, st.timedeltas(timedelta(0), timedelta(days=3)), clock_times, clock_times, zones)
def test_who_comes_later_never_passes_a_window_earlier(
    now: datetime, later: timedelta, opens: time, closes: time, zone: ZoneInfo
) -> None:
    first = next_open(now, opens, closes, (), zone)

    assert first <= next_open(now + later, opens, closes, (), zone)


@pytest.mark.parametrize(
    ("now", "passes"),
    [
        ("2026-06-05T21:30", "2026-06-05T21:30"),  # Friday 23:30 in Berlin
        ("2026-06-06T03:00", "2026-06-06T03:00"),  # Saturday 05:00, still Friday's window
        ("2026-06-06T04:00", "2026-06-12T20:00"),  # Saturday 06:00: closed until Friday
        ("2026-06-06T20:30", "2026-06-12T20:00"),  # Saturday 22:30 is not Friday's
    ],
)
def test_a_window_that_spans_midnight_belongs_to_the_day_it_opened(now: str, passes: str) -> None:
    found = next_open(utc(now), time(22), time(6), ("fri",), BERLIN)

    assert found == utc(passes)


def test_a_window_across_the_night_of_the_change_is_an_hour_shorter() -> None:
    inside, after = utc("2026-03-29T03:59"), utc("2026-03-29T04:00")

    assert next_open(inside, time(22), time(6), (), BERLIN) == inside
    assert next_open(after, time(22), time(6), (), BERLIN) == utc("2026-03-29T20:00")


def test_a_window_that_lies_in_the_gap_is_left_out_that_night() -> None:
    found = next_open(utc("2026-03-29T00:30"), time(2, 10), time(2, 50), (), BERLIN)

    assert found == utc("2026-03-30T00:10")


def test_days_before_a_date_keep_the_time_of_day_across_a_change() -> None:
    base = utc("2026-03-31T07:00")

    found = shifted(base, -timedelta(days=7), None, BERLIN)

    assert found == utc("2026-03-24T08:00")


def test_hours_after_a_date_are_time_that_passes() -> None:
    found = shifted(date(2026, 3, 29), timedelta(hours=6), None, BERLIN)

    assert found == utc("2026-03-29T05:00")


def test_a_date_at_a_time_is_that_local_time() -> None:
    found = shifted(date(2026, 7, 14), -timedelta(days=14), time(9), NEW_YORK)

    assert found == utc("2026-06-30T13:00")


def test_an_instant_without_an_offset_in_days_stays_the_same_instant() -> None:
    second_half_past_one = utc("2026-10-25T01:30")

    assert shifted(second_half_past_one, timedelta(0), None, LONDON) == second_half_past_one


@pytest.mark.parametrize("extreme", [date.min, date.max, EARLIEST, LATEST])
@pytest.mark.parametrize("offset", [timedelta(days=9_000), -timedelta(days=9_000)])
def test_a_date_beyond_the_calendar_is_none_or_in_it(extreme: date, offset: timedelta) -> None:
    found = shifted(extreme, offset, None, ZoneInfo("Pacific/Kiritimati"))

    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-12-24", date(2026, 12, 24)),
        ("2026-12-24T09:00:00Z", datetime(2026, 12, 24, 9, tzinfo=UTC)),
        ("2026-12-24 09:00", datetime(2026, 12, 24, 9)),  # noqa: DTZ001 local
        (date(2026, 12, 24), date(2026, 12, 24)),
        ("24.12.2026", None), ("", None), (5.0, None), (None, None), (True, None),
    ],
)  # fmt: skip
def test_dates_are_read_from_iso_text_only(value: object, found: object) -> None:
    assert read_date(value) == found


@pytest.mark.parametrize("name", ["", "Mars/Base", "../passwd", "/etc", "Europe", 5, None, "\0"])
def test_what_is_no_zone_is_none(name: object) -> None:
    assert zone_named(name) is None
