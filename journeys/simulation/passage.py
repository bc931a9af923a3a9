"""One instance in a simulation: the production steps, walked by a runtime on a virtual clock."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from journeys.calls import Call, Outcome
from journeys.chance import chance
from journeys.effects import Inside
from journeys.event import Event
from journeys.plan import Plan
from journeys.simulation.requests import Listen, Question, Request, Sleep
from journeys.walk import walk

Ending = Literal["completed", "exited", "merged", "failed"]


@dataclass(slots=True)
class Visit:
    """One visit of a step; `exit` is None while it lasts."""

    number: int
    step: str
    at: datetime
    left_at: datetime | None = None
    exit: str | None = None
    reason: str | None = None


class SimulatedRuntime:
    """The world as one instance sees it; what takes time is handed to whoever drives it."""

    def __init__(
        self, plan: Plan, customer: UUID, entered_at: datetime, clock: Callable[[], datetime]
    ) -> None:
        self.visits: list[Visit] = []
        self._plan = plan
        self._customer = customer
        self._entered_at = entered_at
        self._clock = clock

    @property
    def now(self) -> datetime:
        """The virtual instant."""
        return self._clock()

    def chance(self, salt: str) -> float:
        """The customer's own number at this place."""
        return chance(self._customer, self._plan.name, salt)

    def enter(self, step: str) -> None:
        """A new visit begins; the first one with the entry itself."""
        at = self.now if self.visits else self._entered_at
        self.visits.append(Visit(len(self.visits) + 1, step, at))

    async def leave(self, exit: str, target: str | None) -> None:
        """The visit is over."""
        self.visits[-1].left_at, self.visits[-1].exit = self.now, exit

    async def sleep_until(self, instant: datetime) -> None:
        """Let time pass until `instant`."""
        if instant > self.now:
            await Sleep(instant)

    async def wait_for(self, until: datetime) -> str | None:
        """The exit of the awaited event that comes first, or None at `until`."""
        return await Listen(until)

    async def ask(self, call: Call) -> Outcome:
        """Have the effect of this visit done."""
        return await Question(call)


@dataclass(eq=False, slots=True)
class Passage:
    """An instance under way or over, with all that happened to it."""

    inside: Inside
    entered_by: Event
    runtime: SimulatedRuntime
    course: Coroutine[Request, Any, None]
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    outcome: Ending | None = None
    why: Mapping[str, Any] = field(default_factory=dict)
    alarm: int | None = None

    @classmethod
    def begin(cls, inside: Inside, event: Event, clock: Callable[[], datetime]) -> "Passage":
        """A new instance, before its first step."""
        runtime = SimulatedRuntime(inside.plan, inside.customer, inside.entered_at, clock)
        course = walk(inside.plan, runtime, inside.plan.first)
        return cls(inside, event, runtime, course)

    @property
    def plan(self) -> Plan:
        """The journey that is walked."""
        return self.inside.plan

    @property
    def is_open(self) -> bool:
        """Whether the customer is still inside."""
        return self.outcome is None

    @property
    def visits(self) -> list[Visit]:
        """Every visit so far."""
        return self.runtime.visits

    @property
    def visit(self) -> Visit:
        """The visit under way, or the last."""
        return self.runtime.visits[-1]

    def update(self, **changes: Any) -> None:
        """The instance as events meet it from now on."""
        self.inside = replace(self.inside, **changes)

    def end(self, outcome: Ending, at: datetime, why: Mapping[str, Any] | None = None) -> None:
        """It is over; a visit that lasted is left as `outcome`, unless it took an exit."""
        self.course.close()
        self.outcome, self.why, self.alarm = outcome, why or {}, None
        self.update(ended_at=at, waiting=None)
        if self.visits and self.visit.exit is None:
            self.visit.left_at, self.visit.exit = at, outcome
