"""Puts together why a customer is where it is, from nothing but what was recorded."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from api.entered import not_entered, runs_of, seen_by
from journeys import phrases
from journeys.definition import Journey
from journeys.plan import Plan
from journeys.steps.wait import Wait
from journeys.steps.wait_for import TIMED_OUT, WaitFor
from journeys.why import Aim, ByRun, Fate, Passage, Refused, Stands, Visited, Why, WhyJourney
from routing.registry import Registry
from storage import external_ids, journeys, runs, timeline, trail
from storage.instances import Instance
from storage.journeys import JourneyRow
from storage.messages import Message
from storage.pool import Db

PASSAGES, REFUSALS = 100, 200


async def why(db: Db, registry: Registry, customer: UUID, journey: str | None) -> Why:
    """The whole answer about one customer, for one journey or for all there are."""
    rows = [row for row in await journeys.listed(db) if journey in (None, row.name)]
    plans = {row.name: (await registry.plan(db, row.name, row.version)).journey for row in rows}
    seen = await seen_by(db, customer, plans)
    passages = await passages_of(db, registry, customer, journey)
    refusals = await refusals_of(db, customer, journey)
    ids = await external_ids.of_customer(db, customer)
    return Why(
        customer=customer,
        user_id=next((id.value for id in ids if id.kind == "user_id"), None),
        journeys=tuple([
            await of_journey(
                db,
                row,
                plans[row.name],
                seen,
                passages.get(row.name, ()),
                refusals.get(row.name, ()),
            )
            for row in rows
        ]),
    )


async def of_journey(
    db: Db,
    row: JourneyRow,
    plan: Journey,
    seen: Mapping[str, datetime | None],
    passages: Sequence[Passage],
    refusals: Sequence[Refused],
) -> WhyJourney:
    """One journey as the customer met it."""
    last = seen.get(row.name)
    reason = None
    if not passages:
        first = (await journeys.versions(db, row.name))[-1][2]
        has_run = bool(await runs.listed(db, row.name, None, 1))
        reason = not_entered(plan, last, first, refusals, has_run=has_run)
    return WhyJourney(
        journey=row.name,
        state=row.state,
        entry=phrases.of_entry(plan.entry),
        entry_event=plan.entry.event_name,
        entered=bool(passages),
        not_entered=reason,
        last_seen=last,
        passages=tuple(passages),
        refusals=tuple(refusals),
    )


async def passages_of(
    db: Db, registry: Registry, customer: UUID, journey: str | None
) -> dict[str, list[Passage]]:
    """The customer's instances by journey, the latest first."""
    rows = await timeline.passages(db, customer, journey, PASSAGES)
    ids = [row.id for row in rows]
    entries = await timeline.names(db, customer, [row.entry_event for row in rows])
    messages = await timeline.messages_of(db, customer, ids)
    by = await runs_of(db, [row.run for row in rows])
    found: dict[str, list[Passage]] = {}
    for row in rows:
        plan = await registry.plan(db, row.journey, row.version)
        visits = [
            Visited(
                visit=one.visit,
                step=one.step,
                at=one.at,
                left_at=one.left_at,
                exit=one.exit,
                result=one.result,
                why=one.why,
            )
            for one in await trail.of_instance(db, row.entered_at, row.id)
        ]
        mine = [fate(one) for one in messages if one.instance == row.id]
        found.setdefault(row.journey, []).append(
            passage(row, plan, entries.get(row.entry_event), by.get(row.run), visits, mine)
        )
    return found


def passage(
    row: Instance,
    plan: Plan,
    entry: str | None,
    run: ByRun | None,
    visits: Sequence[Visited],
    fates: Iterable[Fate],
) -> Passage:
    """One instance with all that is known of it."""
    goal = plan.journey.goal
    return Passage(
        id=row.id,
        version=row.version,
        key=row.key,
        entered_at=row.entered_at,
        entry_event=entry,
        run=run,
        state=row.outcome or "inside",
        ended_at=row.ended_at,
        why=row.why,
        stands=stands(row, plan, visits) if row.ended_at is None and row.position else None,
        goal=Aim(event=goal.event, until=row.goal_until, met_at=row.goal_at) if goal else None,
        visits=tuple(visits),
        messages=tuple(fates),
    )


def stands(row: Instance, plan: Plan, visits: Sequence[Visited]) -> Stands:
    """Where an open instance is, and what it waits for until when."""
    step = plan.steps.get(row.position or "")
    if step is None:
        return Stands(step=row.position or "", is_held=row.held)
    waits: tuple[str, ...] = ()
    until = None
    if isinstance(step, WaitFor) and row.wait_visit is not None:
        waits = tuple(
            f"{exit}: {phrases.of_exit(step, exit)}" for exit in step.exits if exit != TIMED_OUT
        )
        until = row.wait_until
    elif isinstance(step, Wait):
        until = end_of(step, row, visits)
    return Stands(step=step.id, kind=step.kind, waits_for=waits, until=until, is_held=row.held)


def end_of(step: Wait, row: Instance, visits: Sequence[Visited]) -> datetime | None:
    """When a wait ends: by what was worked out for it, else by when it began."""
    last = visits[-1] if visits else None
    if last is not None and last.exit is None and last.step == step.id:
        said = (last.result or {}).get("until")
        return datetime.fromisoformat(said) if isinstance(said, str) else None
    if step.duration is not None:
        begun = last.left_at if last is not None else row.entered_at
        return None if begun is None else begun + step.duration
    return step.until


def fate(row: Message) -> Fate:
    """A message as it is told."""
    return Fate(
        id=row.id,
        step=row.step,
        visit=row.visit,
        channel=row.channel,
        state=row.state,
        reason=row.reason,
        detail=row.detail,
        provider=row.provider,
        at=row.at,
        settled_at=row.settled_at,
    )


async def refusals_of(db: Db, customer: UUID, journey: str | None) -> dict[str, list[Refused]]:
    """What did not happen to the customer, by journey, the latest first."""
    rows = await trail.refusals_of(db, customer, journey, REFUSALS)
    names = await timeline.names(db, customer, [row.event for row in rows])
    by = await runs_of(db, [row.run for row in rows])
    found: dict[str, list[Refused]] = {}
    for row in rows:
        found.setdefault(row.journey, []).append(
            Refused(
                at=row.at,
                event=row.event,
                name=names.get(row.event),
                run=by.get(row.run),
                reason=row.reason,
                why=row.why,
            )
        )
    return found
