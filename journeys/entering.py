"""Whether an event enters a journey, and the instance that begins."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from expressions import Facts, UnknownValue, value
from journeys.effects import Effects, Enters, Gate, Inside, Refusal
from journeys.entry import After, Entry
from journeys.event import Event
from journeys.identity import CustomerId
from journeys.plan import Plan
from journeys.verdicts import ENTRY_SEEN, explained, verdict_of


def instance_id(journey: str, event: UUID) -> UUID:
    """The id of the instance that `event` starts in `journey`: always the same one."""
    return uuid5(event, journey)


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody may enter: with which key, and what it was decided by."""

    key: str | None
    why: Mapping[str, Any]


def approach(
    event: Event,
    customer: CustomerId,
    gate: Gate,
    mine: list[Inside],
    touched: set[tuple[str, str | None]],
    facts: Facts,
    effects: Effects,
    given_key: str | None = None,
) -> None:
    """Enter the journey of `gate`, or say why not; a key that is given replaces the expression."""
    said = admission(event.occurred_at, gate, mine, touched, facts, given_key)
    if isinstance(said, Refusal):
        effects.refusals.append(said)
    else:
        effects.enters.append(Enters(newcomer(event, customer, gate.plan, said.key), said.why))


def admission(
    at: datetime,
    gate: Gate,
    mine: Iterable[Inside],
    touched: Set[tuple[str, str | None]],
    facts: Facts,
    given_key: str | None = None,
) -> Admission | Refusal:
    """Whether somebody whose instances are `mine` may enter at the instant `at`."""
    plan, entry = gate.plan, gate.plan.journey.entry
    verdict = verdict_of(entry.when, ENTRY_SEEN, facts) if entry.when else None
    why = explained(entry.when, verdict)
    if verdict is not None and not verdict.holds:
        return Refusal(plan.name, "condition", why)
    try:
        key = given_key or key_of(entry, facts)
    except UnknownValue as unknown:
        return Refusal(plan.name, "key_unknown", {"key": entry.key, "reason": str(unknown)})
    reason = kept_out(at, gate, key, mine, touched)
    return Refusal(plan.name, reason, why) if reason is not None else Admission(key, why)


def key_of(entry: Entry, facts: Facts) -> str | None:
    """The instance's key as text; None where the journey has none."""
    if entry.key is None:
        return None
    key = value(entry.key, roots=ENTRY_SEEN).of(facts)
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise UnknownValue(f"{entry.key} is {key!r}, which is no text or number")
    return f"{key:g}" if isinstance(key, float) and key.is_integer() else str(key)


def kept_out(
    at: datetime,
    gate: Gate,
    key: str | None,
    mine: Iterable[Inside],
    touched: Set[tuple[str, str | None]],
) -> str | None:
    """Why an entry at `at` is refused, or None."""
    if gate.closed:
        return "closed"
    if gate.paused:
        return "paused"
    name = gate.plan.name
    if (name, key) in touched:
        return "was_inside"
    same = [one for one in mine if one.plan.name == name and one.key == key]
    if not same:
        return None
    if any(one.ended_at is None or one.ended_at > at >= one.entered_at for one in same):
        return "inside"
    if gate.plan.journey.entry.reentry == "never":
        return "reentry_never"
    if any(too_soon(at, one.entered_at, gate.plan.journey.entry) for one in same):
        return "reentry_too_soon"
    return None


def too_soon(at: datetime, last: datetime, entry: Entry) -> bool:
    """Whether the re-entry rule asks for more time since the entry at `last`."""
    pause = entry.reentry.after if isinstance(entry.reentry, After) else timedelta(0)
    return at < last + pause


def newcomer(event: Event, customer: CustomerId, plan: Plan, key: str | None) -> Inside:
    """The instance that `event` starts."""
    return Inside(
        id=instance_id(plan.name, event.id),
        plan=plan,
        customer=customer,
        key=key,
        entry_event=event.id,
        entry=event.properties,
        entered_at=event.occurred_at,
        goal_until=goal_until(plan, event.occurred_at),
    )


def goal_until(plan: Plan, at: datetime) -> datetime | None:
    """Until when the goal counts of who enters at the instant `at`."""
    goal = plan.journey.goal
    return at + goal.within if goal else None
