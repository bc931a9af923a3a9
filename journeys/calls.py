"""What an instance may ask of the world, and the one shape of question and answer.

Every answer is stored under (instance, visit) by whoever gives it; the first one given stays, so a
question asked again is answered the same.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol
from uuid import UUID

from journeys.model import Model


class Call(StrEnum):
    """The questions, by the name of the activity that answers each."""

    DECIDE = "decide"
    DELIVER = "deliver"
    REQUEST = "request"
    UPDATE = "update"
    EMIT = "emit"
    LISTEN = "listen"
    LOOK_AGAIN = "look_again"
    JUDGE = "judge"
    RECORD = "record"


class Passed(Model):
    """A visit that is over and not yet written down: it rides along with the next question."""

    visit: int
    step: str
    at: datetime
    left_at: datetime
    exit: str


class Asked(Protocol):
    """What whoever answers has to know of a question, however it was put."""

    @property
    def instance(self) -> UUID:
        """Whose question it is."""
        ...

    @property
    def entered_at(self) -> datetime:
        """When the instance began."""
        ...

    @property
    def step(self) -> str:
        """The step that is visited."""
        ...

    @property
    def visit(self) -> int:
        """The visit's number."""
        ...

    @property
    def at(self) -> datetime:
        """When the visit began."""
        ...

    @property
    def now(self) -> datetime:
        """The instant of the question."""
        ...

    @property
    def passed(self) -> tuple[Passed, ...]:
        """The visits that ride along."""
        ...


class Ask(Model):
    """One question of one visit. Holds ids and instants, never a customer's data."""

    plan: str
    instance: UUID
    customer: UUID
    entered_at: datetime
    step: str
    visit: int
    at: datetime
    now: datetime
    until: datetime | None = None
    event: UUID | None = None
    passed: tuple[Passed, ...] = ()
    outcome: Literal["completed", "cancelled", "failed"] | None = None
    gives_up: bool = False


class Outcome(Model):
    """The answer: the exit to take, or why there is none yet.

    `busy`: the fast way is not open, take the long one. `pending`: it is being done, ask again.
    `held`: the journey is paused. `over`: the instance has ended; nothing more may be done.
    `last`: this answer also ended the instance, because its exit leads to the journey's end.
    """

    status: Literal["done", "busy", "pending", "held", "over"] = "done"
    exit: str | None = None
    until: datetime | None = None
    last: bool = False
    queue: str | None = None


class Nudge(Model):
    """The signal `event`: a stored event, and what the router made of it when it was the router."""

    id: UUID
    instance: UUID | None = None
    visit: int | None = None
    exit: str | None = None
    ends: bool = False
