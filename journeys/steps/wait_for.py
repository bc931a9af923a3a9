"""A wait for one of several events, or for the time to run out."""

from typing import Literal

from pydantic import Field

from journeys.model import Duration, Model
from journeys.runtime import Runtime
from journeys.steps.base import Source, StepBase

TIMED_OUT = "timed_out"
SEEN = frozenset({"customer", "event", "entry", "steps", "now"})


class Awaited(Model):
    """One event to wait for: its name, a filter, and for receipts the send it must be about.

    `since: entry` also takes one that came after the entry; without it, one that came after the
    step was entered (or, with `of`, after that message was sent).
    """

    event: str = Field(min_length=1, max_length=200)
    when: str | None = None
    of: str | None = None
    since: Literal["step", "entry"] = "step"


class WaitFor(StepBase):
    """Events by the exit that each takes; the first to come wins."""

    kind: Literal["wait_for"] = "wait_for"
    events: dict[str, Awaited] = Field(min_length=1, max_length=20)
    timeout: Duration

    @property
    def exits(self) -> tuple[str, ...]:
        return (*self.events, TIMED_OUT)

    def sources(self) -> tuple[Source, ...]:
        return tuple(
            Source(f"events.{name}.when", awaited.when, "condition", SEEN)
            for name, awaited in self.events.items()
            if awaited.when is not None
        )

    async def run(self, runtime: Runtime) -> str:
        return await runtime.wait_for(runtime.now + self.timeout) or TIMED_OUT
