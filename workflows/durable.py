"""The runtime of an instance on Temporal: the only code that calls its timers and activities."""

import asyncio
from datetime import datetime, timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError

from clock import Clock
from journeys.calls import Ask, Call, Nudge, Outcome, Passed
from journeys.chance import chance
from journeys.errors import InstanceOver
from journeys.plan import Plan
from workflows import policies
from workflows.start import TASK_QUEUE, Progress, Start


class DurableRuntime:
    """Walks with Temporal's timers, hears its signals, and asks its activities."""

    def __init__(self, plan: Plan, start: Start) -> None:
        progress = start.progress
        self.plan = plan
        self.start = start
        self.clock = start.clock or Clock()
        self.step = progress.step if progress else plan.first
        self.visit = progress.visit if progress else 0
        self.passed = list(progress.passed) if progress else []
        self.nudges = list(progress.nudges) if progress else []
        self.seen = set(progress.seen) if progress else set()
        self.at = start.entered_at
        self.written = False
        self.closed = False
        self.resumed = False

    @property
    def now(self) -> datetime:
        """The instance's present instant."""
        return self.clock.at(workflow.now())

    def chance(self, salt: str) -> float:
        """The customer's own number at this place."""
        return chance(self.start.customer, self.plan.name, salt)

    # The walk ------------------------------------------------------------------

    def enter(self, step: str) -> None:
        """A new visit begins; the first one with the entry itself."""
        self.visit += 1
        self.step = step
        self.at = self.start.entered_at if self.visit == 1 else self.now
        self.written = False
        workflow.set_current_details(f"at step **{step}** since {self.at:%Y-%m-%d %H:%M:%S} UTC")

    async def leave(self, exit: str, target: str | None) -> None:
        """The visit is over: remember it if no activity wrote it down; end after the last one."""
        if not self.written:
            self.passed.append(
                Passed(visit=self.visit, step=self.step, at=self.at, left_at=self.now, exit=exit)
            )
        if target is None:
            await self.finish("completed")
        elif workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            progress = self.progress(target)
            workflow.continue_as_new(self.start.model_copy(update={"progress": progress}))

    def progress(self, target: str) -> Progress:
        """What the next run has to know to go on at `target`."""
        return Progress(
            step=target,
            visit=self.visit,
            passed=tuple(self.passed),
            nudges=tuple(self.nudges),
            seen=tuple(sorted(self.seen)),
        )

    async def finish(self, outcome: str) -> None:
        """Write down that the instance is over, unless the last answer did."""
        if not self.closed:
            await self._local(Call.RECORD, outcome=outcome)
            self.closed = True

    # What steps ask --------------------------------------------------------------

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep, and leave if an exit rule says so meanwhile."""
        if self.passed and instant > self.now:
            await self._local(Call.RECORD)
        while (nudge := await self._rest(instant)) is not None:
            await self._heed(nudge)

    async def wait_for(self, until: datetime) -> str | None:
        """Listen for the events of the current step until one comes or the time is up."""
        outcome = await self._heard(Call.LISTEN, until)
        if outcome.exit is not None:
            return outcome.exit
        while (nudge := await self._rest(until)) is not None:
            if (exit := await self._heed(nudge)) is not None:
                self.written = True
                self.closed = self.plan.target(self.step, exit) is None
                return exit
        return (await self._heard(Call.LOOK_AGAIN, until)).exit

    async def ask(self, call: Call) -> Outcome:
        """Have the effect of this visit done, on the fast path or else on the long one."""
        outcome = await self._until_done(call)
        self.written, self.closed = outcome.exit is not None, outcome.last
        return outcome

    # Hearing -----------------------------------------------------------------------

    def hear(self, nudge: Nudge) -> None:
        """Keep a signal for the main line, once."""
        name = f"{nudge.id}/{nudge.visit}"
        if nudge.instance in (None, self.start.instance) and name not in self.seen:
            self.seen.add(name)
            self.nudges.append(nudge)

    async def _rest(self, until: datetime) -> Nudge | None:
        """The next signal, or None at `until`."""
        pause = (until - self.now) / self.clock.scale
        if not self.nudges and pause > timedelta(0):
            try:
                await workflow.wait_condition(
                    lambda: bool(self.nudges), timeout=pause, timeout_summary=self.step
                )
            except TimeoutError:
                return self.nudges.pop(0) if self.nudges else None
        return self.nudges.pop(0) if self.nudges else None

    async def _heed(self, nudge: Nudge) -> str | None:
        """What a signal means now: the exit to take, nothing, or the end."""
        if nudge.instance is None:
            outcome = await self._local(Call.JUDGE, event=nudge.id)
            return outcome.exit
        if nudge.ends:
            raise InstanceOver("an exit rule was met")
        return nudge.exit if nudge.visit == self.visit else None

    async def _heard(self, call: Call, until: datetime) -> Outcome:
        outcome = await self._local(call, until=until)
        self.written, self.closed = outcome.exit is not None, outcome.last
        return outcome

    # Asking ------------------------------------------------------------------------

    async def _until_done(self, call: Call) -> Outcome:
        gives_up = False
        while True:
            if call in policies.LONG_ONLY and not gives_up:
                outcome = Outcome(status="busy", queue=policies.LONG_ONLY[call])
            else:
                outcome = await self._local(call, gives_up=gives_up)
            if outcome.status in ("busy", "pending"):
                if self.passed:
                    await self._local(Call.RECORD)
                answer = await self._long(call, outcome.queue or TASK_QUEUE)
                gives_up = answer is None
                outcome = answer or outcome
            if outcome.status == "done":
                return outcome
            if outcome.status == "held":
                await self._hold()

    async def _local(
        self,
        call: Call,
        until: datetime | None = None,
        event: object = None,
        outcome: str | None = None,
        gives_up: bool = False,
    ) -> Outcome:
        """Ask this worker, within the workflow task."""
        ask = self._question(until=until, event=event, outcome=outcome, gives_up=gives_up)
        answer: Outcome = await workflow.execute_local_activity(
            call.value,
            ask,
            result_type=Outcome,
            start_to_close_timeout=policies.LOCAL_TIMEOUT,
            local_retry_threshold=policies.LOCAL_THRESHOLD,
            retry_policy=policies.LOCAL_RETRY,
            summary=self.step,
        )
        if answer.status in ("done", "held") and call != Call.JUDGE:
            del self.passed[: len(ask.passed)]
        if answer.status == "over":
            self._over()
        return answer

    async def _long(self, call: Call, queue: str) -> Outcome | None:
        """Ask on the channel's own queue; an exit rule cuts it short, after a day there is none."""
        ask = self._question()
        task = workflow.start_activity(
            call.value,
            ask,
            result_type=Outcome,
            task_queue=queue,
            start_to_close_timeout=policies.LONG_ATTEMPT,
            schedule_to_close_timeout=policies.LONG_PATH,
            heartbeat_timeout=policies.LONG_HEARTBEAT,
            retry_policy=policies.LONG_RETRY,
            summary=self.step,
        )
        try:
            await self._heeding(task)
            answer: Outcome = task.result()
        except ActivityError:
            return None
        if answer.status == "over":
            self._over()
        return answer

    async def _heeding(self, task: "asyncio.Task[Outcome]") -> None:
        """Wait for `task`; leave it when a signal ends the instance."""
        while True:
            await workflow.wait_condition(lambda: task.done() or bool(self.nudges))
            if task.done():
                return
            try:
                await self._heed(self.nudges.pop(0))
            except InstanceOver:
                task.cancel()
                raise

    async def _hold(self) -> None:
        """Wait until the journey goes on."""
        self.resumed = False
        until = self.now + policies.HELD_RECHECK * self.clock.scale
        while not self.resumed and self.now < until:
            pause = (until - self.now) / self.clock.scale
            try:
                await workflow.wait_condition(
                    lambda: self.resumed or bool(self.nudges),
                    timeout=pause,
                    timeout_summary=f"{self.step} (journey paused)",
                )
            except TimeoutError:
                return
            if self.nudges:
                await self._heed(self.nudges.pop(0))

    def _question(
        self,
        until: datetime | None = None,
        event: object = None,
        outcome: str | None = None,
        gives_up: bool = False,
    ) -> Ask:
        return Ask.model_validate({
            "plan": self.start.plan,
            "instance": self.start.instance,
            "customer": self.start.customer,
            "entered_at": self.start.entered_at,
            "step": self.step,
            "visit": self.visit,
            "at": self.at,
            "now": self.now,
            "until": until,
            "event": event,
            "passed": tuple(self.passed),
            "outcome": outcome,
            "gives_up": gives_up,
        })

    def _over(self) -> NoReturn:
        self.closed = True
        raise InstanceOver("the instance has ended")
