"""An update sets attributes of the customer."""

from typing import ClassVar, Literal

from pydantic import Field

from expressions import Facts, UnknownValue, value
from journeys.calls import Call
from journeys.runtime import Runtime
from journeys.steps.base import Decision, Source, StepBase

SEEN = frozenset({"customer", "entry", "steps", "now"})
UPDATED, FAILED = "updated", "failed"


class Update(StepBase):
    """Attributes by name, each given by an expression; one that cannot be computed sets none."""

    at_once: ClassVar[bool] = True

    kind: Literal["update"] = "update"
    set: dict[str, str] = Field(min_length=1, max_length=50)

    @property
    def exits(self) -> tuple[str, ...]:
        return (UPDATED, FAILED)

    def sources(self) -> tuple[Source, ...]:
        return tuple(Source(f"set.{name}", text, "value", SEEN) for name, text in self.set.items())

    def decide(self, facts: Facts) -> Decision:
        """The attributes to set, or why they cannot be known."""
        values = {}
        for name, text in self.set.items():
            try:
                values[name] = value(text, roots=SEEN).of(facts)
            except UnknownValue as unknown:
                return Decision(exit=FAILED, why={"attribute": name, "reason": str(unknown)})
        return Decision(exit=UPDATED, output=values)

    async def run(self, runtime: Runtime) -> str:
        return str((await runtime.ask(Call.UPDATE)).exit)
