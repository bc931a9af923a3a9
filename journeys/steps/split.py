"""A split sends fixed shares of customers down its paths, a customer always down the same."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from journeys.runtime import Runtime
from journeys.steps.base import StepBase

Share = Annotated[float, Field(gt=0, le=100)]


class Split(StepBase):
    """Percentages by path; they add up to 100."""

    at_once: ClassVar[bool] = True

    kind: Literal["split"] = "split"
    paths: dict[str, Share] = Field(min_length=2, max_length=20)

    @model_validator(mode="after")
    def shares_add_up(self) -> "Split":
        """A share that is missing would be customers lost."""
        total = sum(self.paths.values())
        if abs(total - 100) > 1e-6:
            raise ValueError(f"the shares of paths add up to {total:g}, not to 100")
        return self

    @property
    def exits(self) -> tuple[str, ...]:
        return tuple(self.paths)

    async def run(self, runtime: Runtime) -> str:
        point, reached = runtime.chance(self.id) * 100, 0.0
        for path, share in self.paths.items():
            reached += share
            if point < reached:
                return path
        return self.exits[-1]
