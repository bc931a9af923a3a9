"""Which changes of audiences a journey listens to: those have to be made events of a customer.

Such an event is called `Audience Joined` or `Audience Left` and names its `audience`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

from journeys.definition import Journey
from journeys.entry import JOINED, LEFT
from journeys.event import Event, event_id
from journeys.identity import ExternalId
from journeys.steps.wait_for import WaitFor


class Listened(NamedTuple):
    """Joining an audience, or leaving it; None is every audience."""

    audience: str | None
    joined: bool


def event_of(
    audience: str, customer: UUID, joined: bool, at: datetime, ids: Iterable[ExternalId]
) -> Event:
    """A change as an event of the customer; its message id is its own."""
    told = f"{audience}/{customer}/{joined}/{at.isoformat()}"
    message_id = f"audience:{uuid5(NAMESPACE_OID, told)}"
    named = {id.kind: id.value for id in reversed(list(ids))}
    user = named.get("user_id")
    return Event(
        id=event_id(message_id),
        received_at=at,
        occurred_at=at,
        kind="track",
        name=JOINED if joined else LEFT,
        message_id=message_id,
        user_id=user,
        anonymous_id=None if user else named.get("anonymous_id"),
        properties={"audience": audience},
        context={},
    )


def is_heard(audience: str, joined: bool, by: frozenset[Listened]) -> bool:
    """Whether some journey listens to this change."""
    return Listened(None, joined) in by or Listened(audience, joined) in by


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
