"""The runtime of an instance on Temporal: the only code that calls its timers and activities."""

import asyncio
from datetime import datetime
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError

from clock import Clock
from journeys.calls import Ask, Call, Nudge, Outcome, Passed
from journeys.chance import chance
from journeys.errors import InstanceOver
from journeys.plan import Plan
from workflows import asking
from workflows.signals import Signals
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
        self.signals = Signals(start.instance, progress)
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
            nudges=tuple(self.signals.waiting),
            seen=tuple(sorted(self.signals.seen)),
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

    async def _rest(self, until: datetime) -> Nudge | None:
        """The next signal, or None at `until`."""
        return await self.signals.next((until - self.now) / self.clock.scale, self.step)

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
            if call in asking.LONG_ONLY and not gives_up:
                outcome = Outcome(status="busy", queue=asking.LONG_ONLY[call])
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

    async def _local(self, call: Call, **asked: Any) -> Outcome:
        """Ask this worker, within the workflow task; `asked` are fields of the question."""
        ask = self._question(**asked)
        answer = await asking.here(call, ask)
        if answer.status in ("done", "held") and call != Call.JUDGE:
            del self.passed[: len(ask.passed)]
        if answer.status == "over":
            self._over()
        return answer

    async def _long(self, call: Call, queue: str) -> Outcome | None:
        """Ask on the channel's own queue; an exit rule cuts it short, after a day there is none."""
        task = asking.there(call, self._question(), queue)
        try:
            await self._heeding(task)
            answer = task.result()
        except ActivityError:
            return None
        if answer.status == "over":
            self._over()
        return answer

    async def _heeding(self, task: "asyncio.Task[Outcome]") -> None:
        """Wait for `task`; leave it when a signal ends the instance."""
        while True:
            await workflow.wait_condition(lambda: task.done() or bool(self.signals.waiting))
            if task.done():
                return
            try:
                await self._heed(self.signals.waiting.pop(0))
            except InstanceOver:
                task.cancel()
                raise

    async def _hold(self) -> None:
        """Wait until the journey goes on."""
        self.resumed = False
        until = self.now + asking.HELD_RECHECK * self.clock.scale
        while not self.resumed and self.now < until:
            pause = (until - self.now) / self.clock.scale
            doing = f"{self.step} (journey paused)"
            nudge = await self.signals.next(pause, doing, or_when=lambda: self.resumed)
            if nudge is not None:
                await self._heed(nudge)

    def _question(self, **asked: Any) -> Ask:
        return Ask.model_validate({
            "plan": self.start.plan,
            "instance": self.start.instance,
            "customer": self.start.customer,
            "entered_at": self.start.entered_at,
            "step": self.step,
            "visit": self.visit,
            "at": self.at,
            "now": self.now,
            "passed": tuple(self.passed),
            **asked,
        })

    def _over(self) -> NoReturn:
        self.closed = True
        raise InstanceOver("the instance has ended")
