"""The workflow of one run: has a group enter a journey, page after page, until it is through.

How far it is stands in Postgres. An activity does the pages; the workflow begins it, waits where
nothing is to be done for a while, and begins it again.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

from journeys.model import Model
from workflows.start import RESUME_SIGNAL

RUN = "Run"
RUN_QUEUE = "parcours-runs"
BROADCAST_QUEUE = "parcours-broadcasts"
OPEN, ADVANCE, ABANDON = "open_run", "advance_run", "abandon_run"
SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")

BRIEF = timedelta(seconds=30)
SHIFT = timedelta(minutes=10)
HEARTBEAT = timedelta(seconds=10)
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=30),
)
# A held run is told when it goes on; this is for a message that got lost.
HELD_RECHECK = timedelta(hours=1)


STATUSES: tuple[Literal["over", "held", "going"], ...] = ("over", "held", "going")


class RunStart(Model):
    """The input of a run: its id where it is known, else when and of which journey it is."""

    journey: str
    run: UUID | None = None
    scheduled_for: datetime | None = None


class Opening(Model):
    """Asks for the run of an occurrence of a journey's schedule."""

    journey: str
    workflow_id: str
    scheduled_for: datetime


class Opened(Model):
    """The run; None where there is none to be: the journey is closed, or has another schedule."""

    run: UUID | None = None


class Advance(Model):
    """Asks to go on with a run; `lane` is which of several this is, None alone."""

    run: UUID
    lane: int | None = None


class Advanced(Model):
    """How it stands. `going`: go on after `pause`; `held`: when told to; `over`: never again.

    `lanes`: how many may go on with it side by side, each with pages of its own.
    """

    status: Literal["going", "held", "over"]
    pause: timedelta = timedelta(0)
    lanes: int = 1

    @classmethod
    def of(cls, lanes: Sequence["Advanced"]) -> "Advanced":
        """How a run stands of which several have gone on with pages: one that is held holds all."""
        status = next(one for one in STATUSES if any(lane.status == one for lane in lanes))
        return cls(
            status=status,
            pause=max(lane.pause for lane in lanes),
            lanes=max(lane.lanes for lane in lanes),
        )


@workflow.defn(name=RUN)
class RunWorkflow:
    """One run."""

    def __init__(self) -> None:
        self.resumed = False

    @workflow.run
    async def run(self, start: RunStart) -> str:
        """Go through the group; how it ended, in a word."""
        run = start.run or await self._open(start)
        if run is None:
            return "none"
        try:
            await self._go_through(start, run)
        except asyncio.CancelledError:
            await asyncio.shield(self._ask(ABANDON, run))
            raise
        return "over"

    async def _go_through(self, start: RunStart, run: UUID) -> None:
        answer = Advanced(status="going")
        while (answer := await self._go_on(run, answer.lanes)).status != "over":
            pause = HELD_RECHECK if answer.status == "held" else answer.pause
            if pause > timedelta(0):
                await self._rest(pause, answer.status)
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(start.model_copy(update={"run": run}))

    async def _go_on(self, run: UUID, lanes: int) -> Advanced:
        """Have each lane go on with the run for a while."""
        self.resumed = False
        side_by_side = range(lanes) if lanes > 1 else (None,)
        return Advanced.of(
            await asyncio.gather(*(self._ask(ADVANCE, run, lane) for lane in side_by_side))
        )

    async def _open(self, start: RunStart) -> UUID | None:
        """The run of the occurrence that Temporal's schedule, or a catch-up, began this for."""
        at = start.scheduled_for or workflow.info().typed_search_attributes.get(SCHEDULED)
        opened: Opened = await workflow.execute_activity(
            OPEN,
            Opening(
                journey=start.journey,
                workflow_id=workflow.info().workflow_id,
                scheduled_for=at or workflow.info().start_time,
            ),
            result_type=Opened,
            task_queue=RUN_QUEUE,
            start_to_close_timeout=BRIEF,
            retry_policy=RETRY,
        )
        return opened.run

    async def _ask(self, activity: str, run: UUID, lane: int | None = None) -> Advanced:
        answer: Advanced = await workflow.execute_activity(
            activity,
            Advance(run=run, lane=lane),
            result_type=Advanced,
            task_queue=RUN_QUEUE if lane is None else BROADCAST_QUEUE,
            start_to_close_timeout=SHIFT,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
        )
        return answer

    async def _rest(self, pause: timedelta, doing: str) -> None:
        try:
            await workflow.wait_condition(
                lambda: self.resumed, timeout=pause, timeout_summary=doing
            )
        except TimeoutError:
            return

    @workflow.signal(name=RESUME_SIGNAL)
    def resume(self, *_: object) -> None:
        """It goes on after a pause."""
        self.resumed = True
