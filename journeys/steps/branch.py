"""A branch takes the first of its conditions that holds."""

from typing import ClassVar, Literal

from pydantic import Field

from expressions import Facts, condition
from journeys.calls import Call
from journeys.runtime import Runtime
from journeys.steps.base import Decision, Source, StepBase

OTHERWISE = "otherwise"
SEEN = frozenset({"customer", "entry", "steps", "now"})


class Branch(StepBase):
    """Conditions by name, tried in the order they are written."""

    at_once: ClassVar[bool] = True

    kind: Literal["branch"] = "branch"
    branches: dict[str, str] = Field(min_length=1, max_length=50)

    @property
    def exits(self) -> tuple[str, ...]:
        return (*self.branches, OTHERWISE)

    def sources(self) -> tuple[Source, ...]:
        return tuple(
            Source(f"branches.{name}", text, "condition", SEEN)
            for name, text in self.branches.items()
        )

    def decide(self, facts: Facts) -> Decision:
        """The first branch that holds, with every condition tried on the way and its values."""
        tried = []
        for name, text in self.branches.items():
            verdict = condition(text, roots=SEEN).judge(facts)
            tried.append({
                "branch": name,
                "condition": text,
                "holds": verdict.holds,
                "values": verdict.operands,
                "reason": verdict.reason,
            })
            if verdict.holds:
                return Decision(exit=name, why={"tried": tried})
        return Decision(exit=OTHERWISE, why={"tried": tried})

    async def run(self, runtime: Runtime) -> str:
        return str((await runtime.ask(Call.DECIDE)).exit)
