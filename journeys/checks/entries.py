"""Entries by a schedule or a date: whether they ever take place, and not too often."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from journeys.checks.subject import Subject
from journeys.finding import Finding
from journeys.occurrences import occurrences
from journeys.schedule import EPOCH, Schedule

CLOSEST = timedelta(minutes=5)
CLOSEST_LOCAL = timedelta(hours=1)
LOOKED_AT = 300  # occurrences whose distances are looked at


def check_entry(subject: Subject) -> Iterator[Finding]:
    """Everything about when runs begin; where no present is given, past and future are not told."""
    schedule = subject.journey.entry.schedule
    if schedule is None:
        return
    form = next(form for form in ("at", "cron", "rrule") if getattr(schedule, form) is not None)
    path = ("entry", "schedule", form)
    ever = next(occurrences(schedule, EPOCH.replace(tzinfo=UTC)), None)
    if ever is None:
        yield subject.finding(
            path, "never_due", "this is never due", "correct the day, or 'from' and 'until'"
        )
    elif subject.now is not None and next(occurrences(schedule, subject.now), None) is None:
        yield subject.finding(path, "past", "its last time has passed", "name a later time")
    else:
        yield from _too_often(subject, schedule, form)


def _too_often(subject: Subject, schedule: Schedule, form: str) -> Iterator[Finding]:
    start = subject.now or datetime.combine(
        schedule.starts or EPOCH.date(), EPOCH.time(), tzinfo=UTC
    )
    closest = CLOSEST_LOCAL if schedule.is_local else CLOSEST
    found = islice(occurrences(schedule, start), LOOKED_AT)
    gap = min((after - before for before, after in pairwise(found)), default=closest)
    if gap < closest:
        least = "an hour where it goes by each customer's clock" if schedule.is_local else "5m"
        yield subject.finding(
            ("entry", "schedule", form),
            "too_often",
            f"two runs are {gap} apart; the least is {least}",
            "run less often, or enter them as they join: on: joining",
        )
