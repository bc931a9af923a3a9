"""What an event finds and what it does: instances, and the effects on them as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from journeys.identity import CustomerId
from journeys.plan import Plan


@dataclass(frozen=True, slots=True)
class About:
    """The message that a receipt speaks of: of which instance and step, and when it was sent."""

    instance: UUID
    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an instance waits for: the visit of a `wait_for`, from when and until when."""

    visit: int
    step: str
    since: datetime
    until: datetime


@dataclass(slots=True)
class Inside:
    """An instance as an event meets it; a newcomer's `workflow_id` is set by who registers it."""

    id: UUID
    plan: Plan
    customer: CustomerId
    key: str | None
    entry_event: UUID
    entry: Mapping[str, Any]
    entered_at: datetime
    workflow_id: str = ""
    waiting: Waiting | None = None
    ended_at: datetime | None = None
    goal_until: datetime | None = None
    goal_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """The event ends the instance by an exit rule."""

    inside: Inside
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wakes:
    """The event wakes the instance: the visit leaves by `exit`."""

    inside: Inside
    visit: int
    step: str
    exit: str
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Meets:
    """The event meets the instance's goal."""

    inside: Inside


@dataclass(slots=True)
class Enters:
    """The event starts an instance."""

    inside: Inside
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The event could have entered `journey`, or moved one of its instances, and did not."""

    journey: str
    reason: str
    why: Mapping[str, Any]


@dataclass(slots=True)
class Effects:
    """All that one event does."""

    ends: list[Ends] = field(default_factory=list)
    wakes: list[Wakes] = field(default_factory=list)
    meets: list[Meets] = field(default_factory=list)
    enters: list[Enters] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gate:
    """A journey as it can be entered now: its current plan and whether it takes anybody."""

    plan: Plan
    closed: bool = False
    paused: bool = False
