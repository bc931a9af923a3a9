"""What every step has: an id, named exits, where they lead, and what it needs to decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from expressions import Facts
from journeys.model import Model
from journeys.runtime import Runtime

END = "end"

StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Source(NamedTuple):
    """An expression that stands in a step: where, what it says, what it must give, what it sees."""

    field: str
    text: str
    gives: Literal["condition", "value"]
    roots: frozenset[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a step made of the facts: the exit or the instant, its output, and the reasons."""

    exit: str | None = None
    until: datetime | None = None
    output: Mapping[str, Any] = field(default_factory=dict)
    why: Mapping[str, Any] | None = None


class StepBase(Model):
    """A step: frozen data plus one coroutine.

    `ends`: it ends the instance. `at_once`: a visit is over at once, so that nobody has to wait
    for it, and a broadcast can do it.
    """

    ends: ClassVar[bool] = False
    at_once: ClassVar[bool] = False

    id: StepId
    kind: str
    then: str | dict[str, str] = Field(default_factory=dict)

    @property
    def exits(self) -> tuple[str, ...]:
        """The names of the ways out."""
        raise TypeError(f"{type(self).__name__} does not say its exits")

    def target(self, exit: str, following: str | None) -> str | None:
        """Where `exit` leads: what `then` says, else the step written next."""
        if isinstance(self.then, str):
            return self.then
        return self.then.get(exit, following)

    def sources(self) -> tuple[Source, ...]:
        """Every expression in this step."""
        return ()

    def decide(self, facts: Facts) -> Decision:
        """What this step makes of the facts, where it needs any."""
        raise TypeError(f"step {self.id!r} has nothing to decide")

    async def run(self, runtime: Runtime) -> str:
        """Live through one visit and return the exit to take."""
        raise TypeError(f"{type(self).__name__} cannot run")
