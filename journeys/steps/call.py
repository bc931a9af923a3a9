"""A call asks another system over HTTP and keeps its answer for later steps."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from journeys import calls
from journeys.model import Duration
from journeys.runtime import Runtime
from journeys.steps.base import StepBase

ANSWERED, FAILED = "answered", "failed"
Timeout = Annotated[Duration, Field(gt=timedelta(0), le=timedelta(seconds=60))]


class Call(StepBase):
    """One HTTP request; `steps.<id>.status` and `steps.<id>.body` hold the answer.

    `url`, `headers` and `body` are Liquid. Answers of 2xx take `answered`; after the last retry
    anything else takes `failed`.
    """

    kind: Literal["call"] = "call"
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    url: str = Field(min_length=1, max_length=2000)
    headers: dict[str, str] = Field(default_factory=dict, max_length=50)
    body: str | None = None
    timeout: Timeout = timedelta(seconds=10)
    retries: Annotated[int, Field(ge=0, le=20)] = 3

    @property
    def exits(self) -> tuple[str, ...]:
        return (ANSWERED, FAILED)

    def parts(self) -> dict[str, str]:
        """The Liquid texts of this step by field."""
        headers = {f"headers.{name}": text for name, text in self.headers.items()}
        return {"url": self.url, **headers, **({"body": self.body} if self.body else {})}

    async def run(self, runtime: Runtime) -> str:
        return str((await runtime.ask(calls.Call.REQUEST)).exit)
