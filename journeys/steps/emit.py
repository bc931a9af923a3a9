"""An emit makes an event of the customer, which may start or wake other journeys."""

from typing import ClassVar, Literal

from pydantic import Field

from expressions import Facts, UnknownValue, value
from journeys.calls import Call
from journeys.runtime import Runtime
from journeys.steps.base import Decision, Source, StepBase

SEEN = frozenset({"customer", "entry", "steps", "now"})
CHAIN_LIMIT = 16  # events emitted because of emitted events
EMITTED, FAILED = "emitted", "failed"


class Emit(StepBase):
    """An event's name and properties, each given by an expression."""

    at_once: ClassVar[bool] = True

    kind: Literal["emit"] = "emit"
    event: str = Field(min_length=1, max_length=200)
    properties: dict[str, str] = Field(default_factory=dict, max_length=50)

    @property
    def exits(self) -> tuple[str, ...]:
        return (EMITTED, FAILED)

    def sources(self) -> tuple[Source, ...]:
        return tuple(
            Source(f"properties.{name}", text, "value", SEEN)
            for name, text in self.properties.items()
        )

    def decide(self, facts: Facts) -> Decision:
        """The properties of the event, or why they cannot be known."""
        values = {}
        for name, text in self.properties.items():
            try:
                values[name] = value(text, roots=SEEN).of(facts)
            except UnknownValue as unknown:
                return Decision(exit=FAILED, why={"property": name, "reason": str(unknown)})
        return Decision(exit=EMITTED, output=values)

    async def run(self, runtime: Runtime) -> str:
        return str((await runtime.ask(Call.EMIT)).exit)
