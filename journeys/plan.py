"""A published journey as instances and activities use it: steps by id, edges resolved."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NewType

from journeys.definition import Journey
from journeys.steps import Step
from journeys.steps.end import End
from journeys.steps.send import Send
from journeys.steps.split import Split
from journeys.templates import Template
from journeys.way import Way, way_of

PlanRef = NewType("PlanRef", str)


def plan_ref(journey: str, version: int, digest: str) -> PlanRef:
    """`welcome@3:1f2e…`, the name of an immutable version."""
    return PlanRef(f"{journey}@{version}:{digest}")


@dataclass(frozen=True, eq=False)
class Plan:
    """One version of one journey; whoever holds it may trust it."""

    ref: PlanRef
    version: int
    journey: Journey
    templates: dict[str, Template] = field(default_factory=dict)
    steps: dict[str, Step] = field(init=False)
    targets: dict[tuple[str, str], str | None] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", {step.id: step for step in self.journey.steps})
        object.__setattr__(
            self,
            "targets",
            {
                edge: None if target is None or self.steps[target].ends else target
                for edge, target in self.journey.edges().items()
            },
        )

    @property
    def name(self) -> str:
        """The journey's name."""
        return self.journey.journey

    @property
    def first(self) -> str:
        """The step that an instance starts at."""
        return self.journey.steps[0].id

    @cached_property
    def channels(self) -> frozenset[str]:
        """The channels that it sends over."""
        return frozenset(step.channel for step in self.journey.steps if isinstance(step, Send))

    @cached_property
    def only_sends(self) -> bool:
        """Whether nothing in it looks at what a step before has done."""
        return all(isinstance(step, Send | Split | End) for step in self.journey.steps) and not any(
            "steps" in text for one in self.templates.values() for text in one.parts.values()
        )

    @cached_property
    def way(self) -> Way:
        """Which way a group goes through it."""
        return way_of(self.journey)

    def step(self, id: str) -> Step:
        """The step called `id`."""
        return self.steps[id]

    def target(self, step: str, exit: str) -> str | None:
        """Where `exit` of `step` leads; None is the journey's end."""
        return self.targets[step, exit]
