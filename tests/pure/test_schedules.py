"""When scheduled entries take place, whatever clocks do, and what is refused of them."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.audience_changes import Listened, listened
from journeys.check import check_document
from journeys.definition import Journey
from journeys.document import read
from journeys.entry import Entry
from journeys.occurrences import due, falls_on, legs, local_of, occurrences
from journeys.phrases import of_entry
from journeys.schedule import Schedule, per_second

HALF_PAST_TWO = (
    {"cron": "30 2 * * *"},
    {"rrule": "FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "from": "2026-01-01"},
)
# The nights on which clocks change in 2026, in three zones.
NIGHTS = {
    "Europe/Paris": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Sydney": (date(2026, 10, 4), date(2026, 4, 5)),
}
JOURNEY = """\
journey: j
entry:
  {entry}
steps:
  - {{id: rest, kind: wait, duration: 1d}}
"""
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def schedule(**fields: Any) -> Schedule:
    return Schedule.model_validate(fields)


def first(made: Schedule, after: datetime, count: int) -> list[datetime]:
    return list(islice(occurrences(made, after), count))


# Times -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", HALF_PAST_TWO, ids=["cron", "rrule"])
@pytest.mark.parametrize("zone", NIGHTS)
def test_half_past_two_comes_once_on_both_nights_of_a_clock_change(
    zone: str, form: dict[str, str]
) -> None:
    made = schedule(zone=zone, **form)
    forward, back = NIGHTS[zone]

    for night in (forward, back):
        start = datetime(night.year, night.month, night.day, tzinfo=ZoneInfo(zone))
        end = start + timedelta(days=1)  # local arithmetic: the next midnight
        [instant] = due(made, start.astimezone(UTC), end.astimezone(UTC))
        local = instant.astimezone(ZoneInfo(zone))
        assert (local.hour, local.minute) == ((3, 0) if night == forward else (2, 30))
        assert local.fold == 0


def test_a_schedule_in_a_named_zone_is_once() -> None:
    made = schedule(at="2026-12-24T09:00", zone="Europe/Paris")

    assert first(made, NOW, 5) == [datetime(2026, 12, 24, 8, tzinfo=UTC)]
    assert first(made, datetime(2026, 12, 24, 8, tzinfo=UTC), 5) == []


def test_first_and_last_day_bound_a_schedule() -> None:
    made = schedule(
        cron="0 9 * * *", zone="Asia/Tokyo", **{"from": "2026-06-10", "until": "2026-06-12"}
    )

    assert first(made, NOW, 9) == [datetime(2026, 6, day, tzinfo=UTC) for day in (10, 11, 12)]


def test_a_rule_is_counted_from_its_first_day() -> None:
    every_other = schedule(
        rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;BYHOUR=9;COUNT=3", **{"from": "2026-06-02"}
    )

    days = [at.date().isoformat() for at in first(every_other, NOW - timedelta(days=60), 9)]

    assert days == ["2026-06-02", "2026-06-16", "2026-06-30"]
    assert len(first(every_other, datetime(2026, 6, 16, 12, tzinfo=UTC), 9)) == 1


@given(
    st.integers(0, 2 * 365 * 24 * 60),
    st.sampled_from(["*/30 * * * *", "15 * * * *", "0 0 29 2 *", "45 1,2,3 * * 0"]),
    st.sampled_from([*NIGHTS, "UTC", "Australia/Lord_Howe"]),
)
def test_occurrences_never_repeat_and_do_not_depend_on_when_one_looks(
    minutes: int, cron: str, zone: str
) -> None:
    made = schedule(cron=cron, zone=zone)
    start = datetime(2025, 1, 1, 0, 0, 30, tzinfo=UTC) + timedelta(minutes=minutes)

    found = first(made, start, 6)

    assert found == sorted(set(found))
    assert found[0] > start
    assert first(made, found[2], 3) == found[3:]


def test_each_customers_own_time_comes_once_in_each_zone() -> None:
    made = schedule(cron="30 2 * * *", zone="customer")
    [begin] = due(
        made, datetime(2026, 3, 27, 13, tzinfo=UTC), datetime(2026, 3, 28, 13, tzinfo=UTC)
    )
    found = legs(local_of(made, begin))

    at = {zone: instant for instant, names in found for zone in names}

    assert local_of(made, begin).isoformat() == "2026-03-29T02:30:00"
    assert begin == found[0][0]
    assert at["Europe/Paris"] == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 03:00, after the gap
    assert at["Asia/Kolkata"] == datetime(2026, 3, 28, 21, tzinfo=UTC)
    assert sum(len(names) for _, names in found) == len(at) > 400


# Dates -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "day", "every_year", "is_due"),
    [
        ("1990-05-17", date(2026, 5, 17), True, True),
        ("1990-05-17", date(2026, 5, 18), True, False),
        ("1990-05-17", date(2026, 5, 17), False, False),
        ("2026-05-17", date(2026, 5, 17), False, True),
        ("2026-05-17T23:30:00Z", date(2026, 5, 18), False, True),  # in Paris
        ("1992-02-29", date(2026, 2, 28), True, True),
        ("1992-02-29", date(2026, 3, 1), True, False),
        ("1992-02-29", date(2028, 2, 28), True, False),
        ("1992-02-29", date(2028, 2, 29), True, True),
        ("2030-05-17", date(2026, 5, 17), True, False),  # the first time is its own year
        ("soon", date(2026, 5, 17), True, False),
        (17.0, date(2026, 5, 17), True, False),
    ],
)
def test_a_date_falls_on_its_day(value: object, day: date, every_year: bool, is_due: bool) -> None:
    found = falls_on(value, day, ZoneInfo("Europe/Paris"), every_year=every_year)

    assert (found is not None) == is_due


# What is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("schedule: {cron: '0 9 * * *'}", "the audience is missing"),
        ("{audience: loyal}", "an audience enters on: joining"),
        ("{audience: loyal, on: staying}", "on cannot be 'staying'"),
        ("{audience: Loyal, on: joining}", "will not do as a name"),
        ("{event: X, business_event: Y}", "this one has event and business_event"),
        ("{event: X, at: '09:00'}", "at belongs to a date"),
        ("{date: customer.birthday}", "at what time of that day"),
        ("{date: birthday, at: '09:00'}", "write it like customer.birthday"),
        ("{date: customer.b, at: '09:00', offset: 36h}", "36h' is not whole days"),
        ("{date: customer.b, at: '09:00', zone: Mars/Base}", "is not a time zone"),
        ("{audience: a, schedule: {cron: '0 9 * *'}}", "has 4 fields"),
        ("{audience: a, schedule: {cron: '0 25 * * *'}}", "Bad hour"),
        ("{audience: a, schedule: {rrule: 'FREQ=DAILY'}}", "counted from its first day"),
        ("{audience: a, schedule: {rrule: 'FREQ=SOMETIMES', from: '2026-09-01'}}", "no FREQ"),
        ("{audience: a, schedule: {rrule: 'FREQ=DAILY;BYDAY=XX', from: '2026-09-01'}}",
         "cannot be read"),
        ("{audience: a, schedule: {rrule: 'FREQ=DAILY;UNTIL=20270101', from: '2026-09-01'}}",
         "'from' and 'until'"),
        ("{audience: a, schedule: {at: '2026-12-24T09:00+01:00'}}", "is not a local time"),
        ("{audience: a, schedule: {at: '2026-12-24T09:00', zone: CET2}}", "is not a time zone"),
        ("{audience: a, schedule: {at: '2026-12-24T09:00', until: '2026-12-25'}}", "leave out"),
        ("{audience: a, schedule: {zone: UTC}}", "exactly one of at, cron, rrule"),
        ("{audience: a, schedule: {cron: '0 9 * * *', from: '2026-09-02', until: '2026-09-01'}}",
         "before it begins"),
        ("{audience: a, schedule: {cron: '0 9 * * *', rate: fast}}", "is not a rate"),
        ("{audience: a, schedule: {cron: '0 9 * * *', only: old}}", "only cannot be 'old'"),
        ("{audience: a, schedule: {cron: '0 9 * * *', catch_up: never}}", "write skip, or"),
        ("{audience: a, schedule: {cron: '0 9 * * *', catch_up: {within: soon}}}",
         "is not a duration"),
        ("{audience: a, schedule: {cron: '0 9 * * *', catchup: skip}}",
         "did you mean 'catch_up'"),
        ("{audience: a, schedule: {cron: '*/2 * * * *'}}", "the least is 5m"),
        ("{audience: a, schedule: {cron: '*/30 * * * *', zone: customer}}", "an hour"),
        ("{audience: a, schedule: {at: '2026-05-31T09:00'}}", "its last time has passed"),
        ("{audience: a, schedule: {cron: '0 9 * * *', until: '2026-05-31'}}", "has passed"),
        ("{audience: a, schedule: {rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', "
         "from: '2026-01-01'}}", "never due"),
        ("{audience: a, schedule: {cron: '0 9 * * *'}, when: event.x == 1.0}", "no 'event'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line_and_what_to_do(entry: str, says: str) -> None:
    [finding] = check_document(read(JOURNEY.format(entry=entry), "j.yaml"), {}, NOW)

    assert (finding.line, finding.severity) == (3, "error")
    assert says in f"{finding.message}; {finding.hint}"
    assert finding.hint


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{audience: loyal, on: joining, when: customer.x == 1.0}",
         "joining loyal when customer.x == 1.0; again after leaving"),
        ("{audience: loyal, schedule: {cron: '30 2 * * *', zone: Europe/Paris, rate: 500/m}}",
         "loyal by cron 30 2 * * * Europe/Paris, at most 500/m; again after leaving"),
        ("{audience: loyal, schedule: {at: '2026-12-24T09:00', zone: customer}, reentry: never}",
         "loyal at 2026-12-24 09:00 where each customer lives; once only"),
        ("{date: customer.birthday, every: year, offset: -14d, at: '09:00', zone: customer}",
         "everybody 14d before customer.birthday every year at 09:00 where each customer lives; "
         "again after leaving"),
        ("{business_event: Back In Stock, audience: fans, when: event.sku == customer.wish}",
         "everybody of fans by the business event Back In Stock when event.sku == customer.wish; "
         "again after leaving"),
    ],
)  # fmt: skip
def test_every_way_to_enter_is_sound_and_said_in_words(entry: str, says: str) -> None:
    document = read(JOURNEY.format(entry=entry), "j.yaml")

    assert check_document(document, {}, NOW) == []
    assert document.journey is not None
    assert of_entry(document.journey.entry) == says
    stored = document.journey.model_dump_json(by_alias=True, exclude_none=True)
    assert Journey.model_validate_json(stored) == document.journey


def test_rates_are_by_the_second() -> None:
    assert [per_second(rate) for rate in ("50/s", "600/m", "7200/h")] == [50.0, 10.0, 2.0]


def test_a_journey_tells_which_changes_of_audiences_it_listens_to() -> None:
    wait = {"id": "w", "kind": "wait_for", "timeout": "1d", "events": {"x": {"event": "X"}}}
    entry = {"audience": "loyal", "on": "joining"}
    left = {"event": "Audience Left", "when": 'event.audience == "loyal"'}

    plain = Journey.model_validate({"journey": "j", "entry": {"event": "X"}, "steps": [wait]})
    both = Journey.model_validate({"journey": "j", "entry": entry, "exits": [left],
                                   "steps": [wait]})  # fmt: skip

    assert listened(plain) == frozenset()
    assert listened(both) == {Listened("loyal", True), Listened(None, False)}


def test_a_change_of_another_audience_does_not_enter() -> None:
    entry = Entry.model_validate({"audience": "loyal", "on": "joining"})

    assert entry.is_entered_by("Audience Joined", {"audience": "loyal"})
    assert not entry.is_entered_by("Audience Joined", {"audience": "pilot"})
    assert not entry.is_entered_by("Audience Left", {"audience": "loyal"})
