"""What begins a run: an occurrence of a schedule, a request, an event about the business."""

from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from journeys.model import format_duration
from journeys.occurrences import occurrences
from journeys.plan import Plan
from journeys.running import holds, occurrence_id, shown
from journeys.schedule import Schedule
from routing.round import Round
from storage import journeys, runs
from storage.pool import Db
from storage.runs import Cause, Run
from workflows.run import Opening
from workflows.schedules import PREFIX

MOMENT = timedelta(seconds=1)
MADE_BY_KEY = uuid5(NAMESPACE_URL, "parcours:run:requested")


async def scheduled(round: Round, opening: Opening) -> Run | None:
    """The run of an occurrence, made if need be; None where there is none to be."""
    id = occurrence_id(opening.journey, opening.scheduled_for)
    if (before := await runs.get(round.pool, id)) is not None:
        return before
    row = await journeys.get(round.pool, opening.journey)
    if row is None or row.closed_at is not None or row.paused_at is not None:
        return None
    plan = await round.registry.plan(round.pool, row.name, row.version)
    entry = plan.journey.entry
    timetable = entry.timetable
    if timetable is None or not is_due(timetable, opening.scheduled_for):
        return None
    late = round.clock.now() - opening.scheduled_for
    missed = None
    if late > timetable.patience:
        missed = f"missed: it could begin only {format_duration(late)} after its time"
    async with round.pool.acquire() as connection, connection.transaction():
        return await _made(
            connection,
            id,
            plan,
            "date" if entry.date is not None else "schedule",
            opening.scheduled_for,
            holds(entry, shown(timetable, opening.scheduled_for)),
            opening.workflow_id,
            missed,
        )


def is_due(timetable: Schedule, at: datetime) -> bool:
    """Whether the schedule has an occurrence at `at`, to the second."""
    found = next(occurrences(timetable, at - MOMENT), None)
    return found is not None and found - at < MOMENT


async def requested(db: Db, id: UUID, plan: Plan, now: datetime) -> Run:
    """A run that somebody asked for. Within a transaction."""
    entry = holds(plan.journey.entry, now.isoformat())
    return await _made(db, id, plan, "request", now, entry, f"{PREFIX}{plan.name}/{id}")


async def by_event(db: Db, event: UUID, plan: Plan, now: datetime, entry: dict[str, Any]) -> Run:
    """The run of a journey that a business event begins. Within a transaction."""
    id = uuid5(event, plan.name)
    return await _made(db, id, plan, "event", now, entry, f"{PREFIX}{plan.name}/{id}", event=event)


async def _made(
    db: Db,
    id: UUID,
    plan: Plan,
    cause: Cause,
    at: datetime,
    entry: dict[str, Any],
    workflow_id: str,
    missed: str | None = None,
    event: UUID | None = None,
) -> Run:
    return await runs.create(
        db,
        id,
        plan.name,
        plan.version,
        workflow_id,
        cause,
        plan.journey.entry.audience,
        at,
        entry,
        missed,
        event,
    )
