"""An end ends the instance here, wherever it stands in the file."""

from typing import ClassVar, Literal

from journeys.runtime import Runtime
from journeys.steps.base import END, StepBase

ENDED = "ended"


class End(StepBase):
    """The end of a path."""

    ends: ClassVar[bool] = True
    at_once: ClassVar[bool] = True

    kind: Literal["end"] = "end"

    @property
    def exits(self) -> tuple[str, ...]:
        return (ENDED,)

    def target(self, exit: str, following: str | None) -> str | None:
        return END

    async def run(self, runtime: Runtime) -> str:
        return ENDED
