"""Runs in a simulation: by a schedule or a date, members of an audience enter, page by page."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import nsmallest
from operator import attrgetter
from typing import Any
from uuid import UUID

from journeys.event import Event
from journeys.identity import CustomerId
from journeys.occurrences import legs, local_of, occurrences
from journeys.plan import Plan
from journeys.running import day_of, due_date, entry_event, holds, occurrence_id, shown
from journeys.schedule import Schedule, per_second
from journeys.simulation.agenda import Agenda
from journeys.simulation.population import Person, Population
from journeys.timing import zone_named

PAGE = 500  # customers who enter in one go where there is a rate
Enter = Callable[[Plan, Event, Person], bool]


@dataclass(slots=True)
class Run:
    """A run under way: `since` is the run before, `done` are those it has come to."""

    plan: Plan
    id: UUID
    at: datetime
    timetable: Schedule
    since: datetime | None
    entry: Mapping[str, Any]
    done: set[CustomerId] = field(default_factory=set)


class Runs:
    """Begins runs when it is their time."""

    def __init__(
        self,
        plans: Iterable[Plan],
        population: Population,
        agenda: Agenda,
        enter: Enter,
        clock: Callable[[], datetime],
    ) -> None:
        self.begun = 0
        self.is_over = False
        self._plans = list(plans)
        self._population = population
        self._agenda = agenda
        self._enter = enter
        self._clock = clock

    def begin(self, now: datetime) -> None:
        """Every journey with a timetable is published now."""
        for plan in self._plans:
            timetable = plan.journey.entry.timetable
            if timetable is not None:
                self._plan_next(plan, timetable, occurrences(timetable, now), None)

    def _plan_next(
        self, plan: Plan, timetable: Schedule, times: Iterator[datetime], since: datetime | None
    ) -> None:
        at = next(times, None)
        if at is not None:
            self._agenda.put(at, partial(self._open, plan, timetable, at, times, since))

    def _open(
        self,
        plan: Plan,
        timetable: Schedule,
        at: datetime,
        times: Iterator[datetime],
        since: datetime | None,
    ) -> None:
        """An occurrence is due; with each customer's own clock it lasts right round the earth."""
        if self.is_over:
            return
        self.begun += 1
        id, entry = occurrence_id(plan.name, at), holds(plan.journey.entry, shown(timetable, at))
        run = Run(plan, id, at, timetable, since, entry)
        self._plan_next(plan, timetable, times, at)
        if not timetable.is_local:
            self._page(run, None, None)
            return
        for instant, zones in legs(local_of(timetable, at)):
            self._agenda.put(max(instant, at), partial(self._page, run, frozenset(zones), None))

    def _page(self, run: Run, zones: frozenset[str] | None, after: CustomerId | None) -> None:
        """Have some enter, at the pace that is asked for; later those behind them."""
        rate = per_second(run.timetable.rate) if run.timetable.rate else None
        limit = len(self._population) if rate is None else min(PAGE, max(1, math.ceil(rate)))
        meant = (
            one
            for one in self._population
            if (after is None or one.id > after) and is_meant(run, one, zones)
        )
        reached = nsmallest(limit, meant, key=attrgetter("id"))
        entered = sum(self._one(run, person) for person in reached)
        if rate is not None and len(reached) == limit and not self.is_over:
            pause = timedelta(seconds=entered / rate)
            going_on = partial(self._page, run, zones, reached[-1].id)
            self._agenda.put(self._clock() + pause, going_on)

    def _one(self, run: Run, person: Person) -> bool:
        run.done.add(person.id)
        entry = dict(run.entry)
        if run.plan.journey.entry.date is not None:
            day = day_of(run.plan.journey.entry, run.at, run.timetable)
            due = due_date(run.plan.journey.entry, person.attributes, day)
            entry["date"] = due.isoformat() if due is not None else None
        message = f"run:{run.plan.name}@{run.at.isoformat()}"
        event = entry_event(run.id, person.id, entry, self._clock(), message)
        return self._enter(run.plan, event, person)


def is_meant(run: Run, person: Person, zones: frozenset[str] | None) -> bool:
    """Whether the run comes to somebody, at this turn of the earth."""
    entry = run.plan.journey.entry
    if person.id in run.done or (zones is not None and zone_of(person) not in zones):
        return False
    if entry.audience is not None:
        joined = person.audiences.get(entry.audience)
        if joined is None:
            return False
        only_new = entry.schedule is not None and entry.schedule.only == "new"
        if only_new and run.since is not None and joined <= run.since:
            return False
    if entry.date is None:
        return True
    day = day_of(entry, run.at, run.timetable)
    return due_date(entry, person.attributes, day) is not None


def zone_of(person: Person) -> str:
    """The time zone somebody lives in; UTC where that is unknown."""
    name = person.attributes.get("time_zone")
    return str(name) if zone_named(name) is not None else "UTC"
