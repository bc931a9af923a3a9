"""By what a customer came into a journey, and why it did not, from what was recorded."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from journeys.definition import Journey
from journeys.why import ByRun, NotEntered, Refused
from storage import members, runs, timeline
from storage.pool import Db


async def seen_by(
    db: Db, customer: UUID, plans: Mapping[str, Journey]
) -> dict[str, datetime | None]:
    """When the customer was last seen doing what enters each journey."""
    names = [one.entry.event for one in plans.values() if one.entry.event]
    seen = await timeline.last_seen(db, customer, names)
    changed: dict[tuple[str, bool], datetime] = {}
    if any(one.entry.on for one in plans.values()):
        for change in await members.changes_of(db, customer):
            changed.setdefault((change.audience, change.joined), change.at)
    return {
        name: seen.get(one.entry.event or "")
        or changed.get((one.entry.audience or "", one.entry.on == "joining"))
        for name, one in plans.items()
    }


def not_entered(
    plan: Journey,
    last: datetime | None,
    published_at: datetime,
    refusals: Sequence[Refused],
    *,
    has_run: bool,
) -> NotEntered:
    """Why nobody of this customer is in the books of a journey."""
    if refusals:
        return "refused"
    if plan.entry.timetable is not None or plan.entry.business_event is not None:
        return "not_reached" if has_run else "no_run"
    if plan.entry.event_name is None:
        return "not_asked"
    if last is None:
        return "never_seen"
    return "before_published" if last < published_at else "undecided"


async def runs_of(db: Db, ids: Iterable[UUID | None]) -> dict[UUID | None, ByRun]:
    """The runs with these ids, as far as they are known."""
    rows = await runs.some(db, [id for id in set(ids) if id is not None])
    return {
        id: ByRun(id=id, cause=row.cause, audience=row.audience, scheduled_for=row.scheduled_for)
        for id, row in rows.items()
    }
