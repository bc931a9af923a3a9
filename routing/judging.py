"""What one event does to one instance: for waits that look back, and signals given by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from journeys.effects import Effects, Inside
from journeys.event import Event, shard_of
from journeys.steps.wait_for import WaitFor
from journeys.triggers import effects_of
from routing.known import about, known
from routing.registry import Registry
from storage import customers, events, external_ids, inbox, instances, moves
from storage.moves import Nudged
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Judged:
    """What the event did: it ended or woke the instance, or nothing, and why."""

    effect: Literal["ended", "woke", "nothing"]
    reason: str | None = None
    step: str | None = None
    exit: str | None = None
    visit: int | None = None


async def judge(db: Db, registry: Registry, instance: UUID, event: Event, now: datetime) -> Judged:
    """Let `event` do to the instance what it does, once."""
    row = await instances.get(db, instance)
    if row is None or row.ended_at is not None:
        return Judged("nothing", "the instance has ended")
    inside = await registry.inside(db, row)
    person = await customers.get(db, inside.customer)
    if person is None:
        return Judged("nothing", "the customer is gone")
    facts = await known(db, event, person.id, person.attributes, [inside], [])
    receipts = await about(db, [event])
    effects = effects_of(event, person.id, [inside], [], facts.facts(event), receipts.get(event.id))
    return await carry_out(db, inside, event, effects, now)


async def carry_out(
    db: Db, inside: Inside, event: Event, effects: Effects, now: datetime
) -> Judged:
    """Write the effect on one instance; of two events that would wake it the first does."""
    if effects.meets:
        await moves.meet_goals(db, [(inside.id, event.id, event.occurred_at)])
    for end in effects.ends:
        if await moves.exit(db, [Nudged(inside.id, event.id, now, end.why)]):
            return Judged("ended")
    for wake in effects.wakes:
        position = inside.plan.target(wake.step, wake.exit)
        nudged = Nudged(inside.id, event.id, now, wake.why, wake.visit, wake.exit, position)
        if await moves.wake(db, [nudged]):
            return Judged("woke", None, wake.step, wake.exit, wake.visit)
    refused = effects.refusals[0] if effects.refusals else None
    if refused is not None:
        return Judged("nothing", f"{refused.reason}: {dict(refused.why)}")
    if effects.meets:
        return Judged("nothing", "it met the goal; no exit rule and no wait listens for it")
    return Judged("nothing", f"nothing listens for {event.name!r} at this moment")


async def look_back(
    db: Db, registry: Registry, instance: UUID, now: datetime, *, unrouted: bool
) -> Judged:
    """Let the first event that has already come wake the instance; routed ones, or all."""
    row = await instances.get(db, instance)
    if row is None or row.wait_visit is None or row.wait_until is None:
        return Judged("nothing")
    inside = await registry.inside(db, row)
    step = inside.plan.step(row.position or "")
    if not isinstance(step, WaitFor):
        return Judged("nothing")
    found = await came(db, inside, step, row.wait_since or now, row.wait_until, unrouted)
    for event in found:
        judged = await judge(db, registry, instance, event, now)
        if judged.effect != "nothing":
            return judged
    return Judged("nothing")


async def came(
    db: Db, inside: Inside, step: WaitFor, since: datetime, until: datetime, unrouted: bool
) -> Sequence[Event]:
    """The customer's events that this wait listens for, oldest first."""
    awaited = step.events.values()
    looks_back = any(one.since == "entry" or one.of is not None for one in awaited)
    after = inside.entered_at if looks_back else since
    names = sorted({one.event for one in awaited})
    await customers.wait_for_routing(db, inside.customer)
    found = await events.since(db, inside.customer, names, after, until)
    if unrouted:
        ids = await external_ids.of_customer(db, inside.customer)
        shards = sorted({shard_of(id.value) for id in ids})
        seen = {event.id for event in found}
        found += [
            event
            for event in await inbox.unrouted_of(db, ids, shards, names)
            if event.id not in seen and after < event.occurred_at <= until
        ]
    return sorted(found, key=lambda event: event.occurred_at)
