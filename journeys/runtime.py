"""What a step may ask of the world: a protocol, nothing else."""

from datetime import datetime
from typing import Protocol

from journeys.calls import Call, Outcome


class Runtime(Protocol):
    """The world as one visit of one instance sees it."""

    @property
    def now(self) -> datetime:
        """The instance's present instant."""
        ...

    def chance(self, salt: str) -> float:
        """A number in [0, 1) that depends on the customer and `salt` alone."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return at `instant`, at once if it has passed."""
        ...

    async def wait_for(self, until: datetime) -> str | None:
        """The name of the awaited event that came first, or None at `until`."""
        ...

    async def ask(self, call: Call) -> Outcome:
        """Have the effect of this visit done; the outcome's exit is set."""
        ...


class Walker(Runtime, Protocol):
    """A runtime as the walk drives it."""

    def enter(self, step: str) -> None:
        """A new visit begins."""
        ...

    async def leave(self, exit: str, target: str | None) -> None:
        """The visit is over and goes on to `target`; None ends the journey."""
        ...
