"""The facts that the rules an event meets may ask about, read once for the event."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from expressions import Facts, Needs, PastEvent
from journeys.effects import About, Inside
from journeys.event import Event
from journeys.identity import CustomerId
from journeys.plan import Plan
from journeys.verdicts import needs_of
from storage import facts, messages, standing, trail
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one customer as one event occurs; `customer` is what all rules may see."""

    customer: Facts
    outputs: Mapping[UUID, Mapping[str, Any]]

    def facts(self, event: Event) -> Callable[[Inside | None], Facts]:
        """What rules may see, of an instance or of the journey that is entered."""

        def of(inside: Inside | None) -> Facts:
            return replace(
                self.customer,
                event=cast("Mapping[str, Any]", event.properties),
                entry=inside.entry if inside else None,
                steps=self.outputs.get(inside.id, {}) if inside else {},
            )

        return of


async def known(
    db: Db,
    event: Event,
    customer: CustomerId,
    attributes: Mapping[str, Any],
    insides: Iterable[Inside],
    entered: Iterable[Plan],
) -> Known:
    """Read what the rules of these instances and journeys need, and no more."""
    insides = list(insides)
    plans = {plan.ref: plan for plan in (*(one.plan for one in insides), *entered)}
    needs = Needs.of(*(needs_of(plan) for plan in plans.values()))
    history: Mapping[str, list[PastEvent]] = {}
    if needs.events:
        history = await standing.history(db, customer, sorted(needs.events), event.occurred_at)
    outputs = {}
    if needs.steps or "steps" in needs.roots:
        for inside in insides:
            if inside.waiting is not None:
                outputs[inside.id] = await trail.outputs(db, inside.entered_at, inside.id)
    seen = Facts(now=event.occurred_at, customer=attributes, history=history)
    return Known(await facts.completed(db, seen, customer, needs), outputs)


async def about(db: Db, events: Iterable[Event]) -> dict[UUID, About]:
    """The messages that receipts among `events` speak of, by the event's id."""
    named: dict[UUID, UUID] = {}
    for event in events:
        if (message := message_of(event)) is not None:
            named[event.id] = message
    if not named:
        return {}
    found = await messages.known(db, list(named.values()))
    return {
        event: About(found[message].instance, found[message].step, found[message].at)
        for event, message in named.items()
        if message in found
    }


def message_of(event: Event) -> UUID | None:
    """The message that a receipt names in its `message_id`."""
    said = event.properties.get("message_id")
    try:
        return UUID(said) if isinstance(said, str) else None
    except ValueError:
        return None
