"""The workflow of one instance: one customer's passage through one journey version."""

import asyncio
from typing import Any

from pydantic import ValidationError
from temporalio import workflow

from journeys.calls import Nudge
from journeys.errors import InstanceOver
from journeys.walk import walk
from workflows.durable import DurableRuntime
from workflows.plans import PLANS
from workflows.start import EVENT_SIGNAL, RESUME_SIGNAL, WORKFLOW, Start


@workflow.defn(name=WORKFLOW)
class JourneyWorkflow:
    """Walks the plan that its input names."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        self.plan = PLANS.get(start.plan)
        self.runtime = DurableRuntime(self.plan, start)

    @workflow.run
    async def run(self, start: Start) -> str:
        """Walk to the end; how it ended, in a word."""
        first = start.progress.step if start.progress else self.plan.first
        try:
            await walk(self.plan, self.runtime, first)
        except InstanceOver:
            return "over"
        except asyncio.CancelledError:
            await asyncio.shield(self.runtime.finish("cancelled"))
            raise
        return "completed"

    @workflow.signal(name=EVENT_SIGNAL)
    def event(self, nudge: Any = None, *_: Any) -> None:
        """A stored event: `{"id": …}`; anything else, nothing too, is logged and ignored."""
        try:
            self.runtime.signals.hear(
                Nudge.model_validate_json(nudge)
                if isinstance(nudge, str)
                else Nudge.model_validate(nudge)
            )
        except ValidationError as error:
            workflow.logger.warning("signal.ignored", extra={"problems": error.error_count()})

    @workflow.signal(name=RESUME_SIGNAL)
    def resume(self, *_: Any) -> None:
        """The journey goes on after a pause."""
        self.runtime.resumed = True

    @workflow.query(name="position")
    def position(self) -> str:
        """The step where the instance stands."""
        return self.runtime.step
