"""The functions that look into the facts of the customer whose condition is being evaluated."""

from bisect import bisect_right
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from google.protobuf.timestamp_pb2 import Timestamp

from expressions.facts import Facts, PastEvent, PastMessage, Wanted, project

OCCURRED_AT = "occurred_at"
TIME = attrgetter("occurred_at")
ANY = "*"


@dataclass(frozen=True, slots=True)
class Present:
    """What the evaluation under way may see, and which properties of past events it reads."""

    facts: Facts
    wanted: Wanted


PRESENT: ContextVar[Present] = ContextVar("parcours_expression")


def instant(moment: datetime) -> Timestamp:
    """A time as CEL takes it inside a map, where a `datetime` is refused."""
    converted = Timestamp()
    converted.FromDatetime(moment)
    return converted


def seen(event: PastEvent, wanted: Wanted) -> dict[str, object]:
    """A past event as a map: the properties that are read, and when it occurred."""
    properties = project(event.properties, wanted)
    found: dict[str, object] = dict(properties) if isinstance(properties, dict) else {}
    if wanted is None or OCCURRED_AT in wanted:
        found[OCCURRED_AT] = instant(event.occurred_at)
    return found


def past_events(name: str, within: timedelta | None = None) -> list[dict[str, object]]:
    """The customer's events of that name up to now, later than `within` before now."""
    present = PRESENT.get()
    start, stop = window_of(present.facts, name, within)
    past = present.facts.history.get(name, ())
    return [seen(event, present.wanted) for event in past[start:stop]]


def window_of(facts: Facts, name: str, within: timedelta | None) -> tuple[int, int]:
    """Where in the history of that name the events up to now begin and end; kept in the memo."""
    found: tuple[int, int] | None = facts.memo.get((name, within))
    if found is None:
        past = facts.history.get(name, ())
        start = 0 if within is None else bisect_right(past, facts.now - within, key=TIME)
        found = facts.memo[name, within] = (start, bisect_right(past, facts.now, key=TIME))
    return found


def past_messages(
    journey: str | None = None, within: timedelta | None = None
) -> list[dict[str, object]]:
    """The messages to the customer up to now, of a journey, later than `within` before now."""
    facts = PRESENT.get().facts
    if facts.messages is None:
        raise LookupError("the messages to the customer are not known here")
    return [
        sent(message, facts.now)
        for message in facts.messages
        if journey in {None, message.journey}
        and message.at <= facts.now
        and (within is None or message.at > facts.now - within)
    ]


def sent(message: PastMessage, now: datetime) -> dict[str, object]:
    """A message as a map."""
    return {
        "journey": message.journey,
        "step": message.step,
        "channel": message.channel,
        "topic": message.topic,
        "state": message.state,
        "at": instant(message.at),
        "opened": message.opened_at is not None and message.opened_at <= now,
        "clicked": message.clicked_at is not None and message.clicked_at <= now,
    }


def is_in_audience(name: str) -> bool:
    """Whether the customer is in that audience."""
    return is_in(PRESENT.get().facts, name)


def is_in(facts: Facts, audience: str) -> bool:
    """Whether the customer of whom these are the facts is in that audience."""
    if facts.audiences is None:
        raise LookupError("the audiences of the customer are not known here")
    return audience in facts.audiences


def is_subscribed(channel: str, topic: str = ANY) -> bool:
    """Whether nothing says that the customer does not want that; `*` stands for all of either."""
    unwanted = PRESENT.get().facts.unsubscriptions
    if unwanted is None:
        raise LookupError("what the customer does not want is not known here")
    return not any(one[0] in {channel, ANY} and one[1] in {topic, ANY} for one in unwanted)
