"""Which changes of audiences a journey listens to: those have to be made events of a customer.

Such an event is called `Audience Joined` or `Audience Left` and names its `audience`.
"""

from typing import NamedTuple

from journeys.definition import Journey
from journeys.entry import JOINED, LEFT
from journeys.steps.wait_for import WaitFor


class Listened(NamedTuple):
    """Joining an audience, or leaving it; None is every audience."""

    audience: str | None
    joined: bool


def listened(journey: Journey) -> frozenset[Listened]:
    """The changes that can enter `journey`, or end or wake an instance of it, or meet its goal."""
    found = set()
    if journey.entry.on is not None:
        found.add(Listened(journey.entry.audience, journey.entry.on == "joining"))
    names = {rule.event for rule in journey.exits} | {journey.entry.event}
    names |= {journey.goal.event} if journey.goal else set()
    for step in journey.steps:
        if isinstance(step, WaitFor):
            names |= {awaited.event for awaited in step.events.values()}
    found |= {Listened(None, name == JOINED) for name in (JOINED, LEFT) if name in names}
    return frozenset(found)
