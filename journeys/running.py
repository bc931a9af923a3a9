"""What a run enters customers with: pure rules, shared by the worker and the simulator."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from journeys.entry import Entry
from journeys.event import Event, EventId
from journeys.occurrences import falls_on, local_of
from journeys.schedule import Schedule
from journeys.timing import zone_named


def occurrence_id(journey: str, at: datetime) -> UUID:
    """The run of a journey's occurrence at the instant `at`: always the same one."""
    return uuid5(NAMESPACE_URL, f"parcours:run:{journey}@{at.timestamp():.0f}")


def shown(timetable: Schedule, at: datetime) -> str:
    """An occurrence as its author would say it: local, without an offset where it has many."""
    if timetable.is_local:
        return local_of(timetable, at).isoformat()
    return at.astimezone(timetable.clock).isoformat()


def holds(entry: Entry, scheduled_for: str) -> dict[str, Any]:
    """What `entry` holds where no event enters."""
    audience = {"audience": entry.audience} if entry.audience else {}
    return {"scheduled_for": scheduled_for, **audience}


def day_of(entry: Entry, at: datetime, timetable: Schedule | None) -> date:
    """The day that a date has to fall on to be due at the instant `at`."""
    clock = timetable.clock if timetable is not None else UTC
    return at.astimezone(clock).date() - (entry.offset or timedelta(0))


def due_date(entry: Entry, attributes: Mapping[str, Any], day: date) -> date | None:
    """A customer's date, if it falls on `day` where the entry's clock, or its own, says so."""
    value: Any = attributes
    for name in entry.date_path:
        value = value.get(name) if isinstance(value, Mapping) else None
    timetable = entry.timetable
    if timetable is None:
        return None
    own = zone_named(attributes.get("time_zone")) or zone_named("UTC")
    zone = own if timetable.is_local and own is not None else timetable.clock
    return falls_on(value, day, zone, every_year=entry.every is not None)


def entry_name(customer: UUID) -> str:
    """What the event's id that stands for a customer's entry is derived from, beside the run."""
    return customer.hex


def entry_event(
    run: UUID, customer: UUID, entry: Mapping[str, Any], now: datetime, message_id: str = ""
) -> Event:
    """What stands for an event where a run enters a customer: always the same one of both."""
    return Event(
        id=EventId(uuid5(run, entry_name(customer))),
        received_at=now,
        occurred_at=now,
        kind="track",
        name="",
        message_id=message_id,
        user_id=None,
        anonymous_id=None,
        properties=dict(entry),
        context={},
    )
