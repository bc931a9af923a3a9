"""What a step awaits in a simulation; the world sends in what comes of it."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime

from journeys.calls import Call, Outcome


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing but time."""

    until: datetime

    def __await__(self) -> Generator["Request", None, None]:
        yield self


@dataclass(frozen=True, slots=True)
class Listen:
    """One of the events of the current step, or None at the deadline."""

    until: datetime

    def __await__(self) -> Generator["Request", str | None, str | None]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Question:
    """An effect of the current visit."""

    call: Call

    def __await__(self) -> Generator["Request", Outcome, Outcome]:
        return (yield self)


Request = Sleep | Listen | Question
