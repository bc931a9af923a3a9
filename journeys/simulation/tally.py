"""What a simulation is reported as: plain numbers, ready to be written as JSON."""

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """Why events that could have moved something did not; `values` are one example's."""

    reason: str
    decided_by: str
    events: int
    customers: int
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class ExitRow:
    """How often a step was left by an exit; `target` is None for the end of the journey."""

    exit: str
    target: str | None
    count: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step: `cut_short` counts visits that the instance's end interrupted, by outcome."""

    step: str
    kind: str
    visits: int
    exits: list[ExitRow]
    cut_short: dict[str, int]
    still_here: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """Messages of one step with one fate."""

    step: str
    channel: str
    state: str
    reason: str | None
    count: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """Messages of one day (UTC), step and state."""

    day: date
    step: str
    state: str
    count: int


@dataclass(frozen=True, slots=True)
class GoalRow:
    """How many instances met the journey's goal, and how fast (seconds) half of those did."""

    event: str
    within: float
    met: int
    median: float | None


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit of one instance."""

    step: str
    at: datetime
    left_at: datetime | None
    exit: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One instance; `customer` is a user id, else an anonymous id."""

    id: str
    customer: str | None
    key: str | None
    entry_message_id: str
    entered_at: datetime
    ended_at: datetime | None
    outcome: str | None
    goal_at: datetime | None
    visits: list[VisitRow]


@dataclass(frozen=True, slots=True)
class JourneyReport:
    """One journey; `first_entries` leads from user ids to the message ids they first entered on."""

    journey: str
    description: str
    entry_event: str | None
    entered: int
    customers: int
    outcomes: dict[str, int]
    still_inside: int
    steps: list[StepRow]
    messages: list[MessageRow]
    messages_by_day: list[DayRow]
    goal: GoalRow | None
    refusals: list[RefusalRow]
    first_entries: dict[str, str]
    instances: list[InstanceRow] | None


@dataclass(frozen=True, slots=True)
class AudienceRow:
    """An audience at the end, and how often somebody joined and left it."""

    audience: str
    size: int
    joined: int
    left: int


@dataclass(slots=True)
class Report:
    """A whole simulation; `until` is where the virtual clock stopped.

    `runs` are those that began, `unknown` says in sentences what could not be known.
    """

    events: int
    repeats: int
    late: int
    customers: int
    merges: int
    first_event: datetime | None
    last_event: datetime | None
    until: datetime | None
    journeys: list[JourneyReport]
    audiences: list[AudienceRow] = field(default_factory=list)
    runs: int = 0
    unknown: list[str] = field(default_factory=list)
    bad_lines: int = 0
    first_bad_lines: list[str] = field(default_factory=list)
