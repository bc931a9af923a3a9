"""Whom a run means, and what each of them enters with."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from journeys.identity import CustomerId
from journeys.occurrences import legs, local_of, zones
from journeys.plan import Plan
from journeys.running import day_of, due_date
from journeys.schedule import Schedule
from journeys.timing import DAY
from storage.reach import Reach
from storage.runs import Run

Leg = tuple[datetime, tuple[str, ...]]
"""An instant, and the time zones in which it is the run's time then."""


def legs_of(run: Run, plan: Plan) -> Sequence[Leg]:
    """The legs of a run that goes by each customer's own clock; none where it does not."""
    timetable = timetable_of(run, plan)
    if timetable is None or not timetable.is_local:
        return ()
    return legs(local_of(timetable, run.scheduled_for))


def next_leg(run: Run, plan: Plan, all: Sequence[Leg], now: datetime, open: datetime) -> Leg | None:
    """The leg after the one that the run is at, without those that it is too late for.

    What was held back until the journey was `open` again, or the run resumed, is late from then.
    """
    timetable = timetable_of(run, plan)
    if timetable is None:
        return None
    held = max(open, run.resumed_at or open)
    for leg in all:
        is_late = now - max(leg[0], held) > timetable.lateness
        if (run.leg is None or leg[0] > run.leg) and not is_late:
            return leg
    return None


def timetable_of(run: Run, plan: Plan) -> Schedule | None:
    """The schedule that began the run; None for one begun by an event or a request."""
    return plan.journey.entry.timetable if run.cause in {"schedule", "date"} else None


def reach_of(run: Run, plan: Plan, leg: Leg | None) -> Reach:
    """The customers among whom the run looks, at this leg of it."""
    entry = plan.journey.entry
    day = day_of(entry, run.scheduled_for, timetable_of(run, plan))
    names, by_date = leg[1] if leg is not None else None, run.cause == "date"
    return Reach(
        audience=run.audience,
        only_new=entry.schedule is not None and entry.schedule.only == "new",
        zones=names,
        strays=names is not None and "UTC" in names,
        every_zone=zones() if names is not None else (),
        path=entry.date_path if by_date else None,
        days=tuple(texts(day, every_year=bool(entry.every))) if by_date else (),
        every_year=entry.every is not None,
    )


def texts(day: date, *, every_year: bool) -> Iterable[str]:
    """How dates begin that may fall on `day`: an instant's day depends on the zone."""
    near = [day - DAY, day, day + DAY]
    if not every_year:
        return [one.isoformat() for one in near]
    return [*(f"{one:%m-%d}" for one in near), "02-29"]


def entries_of(
    run: Run, plan: Plan, page: Mapping[CustomerId, Mapping[str, Any]]
) -> dict[CustomerId, Mapping[str, Any]]:
    """What `entry` holds for each customer of `page` who is meant; alike, it is the same object."""
    if run.cause != "date":
        return dict.fromkeys(page, run.entry)
    entry = plan.journey.entry
    day = day_of(entry, run.scheduled_for, timetable_of(run, plan))
    found: dict[CustomerId, Mapping[str, Any]] = {}
    alike: dict[date, Mapping[str, Any]] = {}
    for one, attributes in page.items():
        due = due_date(entry, attributes, day)
        if due is not None:
            found[one] = alike.setdefault(due, {**run.entry, "date": due.isoformat()})
    return found
