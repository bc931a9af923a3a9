"""A journey as its author writes it."""

from typing import Annotated, Literal

from pydantic import Field

from journeys.entry import Entry
from journeys.model import Duration, Model
from journeys.steps import Step
from journeys.steps.base import END

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
JourneyClass = Literal["marketing", "transactional"]
Guarantee = Literal["at_most_once", "at_least_once"]


class ExitRule(Model):
    """An event that ends an instance wherever it stands."""

    event: str = Field(min_length=1, max_length=200)
    when: str | None = None


class Goal(Model):
    """What the journey is for: recorded with its time when it happens, inside or after."""

    event: str = Field(min_length=1, max_length=200)
    when: str | None = None
    within: Duration


class Journey(Model):
    """One journey."""

    journey: Name
    description: str = ""
    class_: JourneyClass = Field("marketing", alias="class")
    guarantee: Guarantee | None = None
    entry: Entry
    exits: tuple[ExitRule, ...] = ()
    goal: Goal | None = None
    steps: tuple[Step, ...] = Field(min_length=1, max_length=200)

    @property
    def promise(self) -> Guarantee:
        """What happens to a message whose fate is unknown: left alone, or sent again."""
        if self.guarantee is not None:
            return self.guarantee
        return "at_most_once" if self.class_ == "marketing" else "at_least_once"

    def edges(self) -> dict[tuple[str, str], str | None]:
        """Where each exit of each step leads; None is the end."""
        following: list[str | None] = [*(step.id for step in self.steps), None][1:]
        return {
            (step.id, exit): None if (target := step.target(exit, after)) == END else target
            for step, after in zip(self.steps, following, strict=True)
            for exit in step.exits
        }
