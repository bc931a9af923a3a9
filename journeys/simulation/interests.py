"""What journeys have to be told: which events can move them, and whose history they read."""

from datetime import datetime

from expressions import condition, value
from journeys.effects import Inside
from journeys.event import Event
from journeys.plan import Plan
from journeys.steps.wait_for import WaitFor
from journeys.verdicts import needs_of


def entered(plan: Plan, event: Event) -> bool:
    """Whether `event` is of the kind that starts an instance of `plan`."""
    return plan.journey.entry.is_entered_by(event.name, event.properties)


def heeded(plan: Plan) -> set[str]:
    """The events that can start an instance of `plan` or do something to one."""
    journey = plan.journey
    names = {rule.event for rule in journey.exits}
    names |= {one for one in (journey.entry.event_name, journey.goal and journey.goal.event) if one}
    for step in journey.steps:
        if isinstance(step, WaitFor):
            names |= {awaited.event for awaited in step.events.values()}
    return names


def remembered(plan: Plan) -> frozenset[str]:
    """The events whose history some expression of `plan` reads."""
    sources = [source for step in plan.journey.steps for source in step.sources()]
    needs = [
        (condition if source.gives == "condition" else value)(source.text, roots=source.roots).needs
        for source in sources
    ]
    return needs_of(plan).events.union(*(one.events for one in needs))


def looks_back_to(inside: Inside) -> datetime:
    """The earliest event that the wait of `inside` may be ended by."""
    waiting = inside.waiting
    if waiting is None or not isinstance(step := inside.plan.step(waiting.step), WaitFor):
        return inside.entered_at
    only_later = all(one.since == "step" and one.of is None for one in step.events.values())
    return waiting.since if only_later else inside.entered_at
