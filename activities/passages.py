"""The runtime of an instance of a broadcast: it walks within a page, and waits for nothing."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import coroutine
from typing import Literal, NoReturn
from uuid import UUID

from activities.letters import Channel
from journeys.calls import Ask, Call, Outcome, Passed
from journeys.chance import chance
from journeys.effects import Inside
from journeys.errors import InstanceOver

Stop = Literal["busy", "held"]


class PutOff(Exception):
    """The instance cannot go on now: `busy`, `pending` or `held`, as an `Outcome` says it."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class Page:
    """Instances that are taken to their end together; `stopped` says why no other one is begun."""

    stopped: Stop | None = None
    refused: list[UUID] = field(default_factory=list)
    """Whom a provider did not take."""

    def put_off(self, one: Inside, put_off: PutOff, channels: Mapping[str, Channel]) -> None:
        """Somebody cannot go on: stop the page, unless it is this one message alone."""
        if put_off.status == "pending":
            return  # somebody else is at it; if not, it is left behind
        if put_off.status == "held":
            self.stopped = "held"
        elif any(
            channel.breaker.state != "closed"
            for name, channel in channels.items()
            if name in one.plan.channels
        ):
            self.stopped = self.stopped or "busy"
        else:
            self.refused.append(one.id)


class Passage:
    """Walks one instance from its first step, and asks `answer` what it needs.

    It is itself what is `Asked`: of its present visit, at the instant `now` of the question.
    Whatever was done before is answered by what is stored, so walking again does nothing twice.
    """

    __slots__ = (
        "_answer", "_clock", "_is_closed", "_is_written", "at", "entered_at", "inside",
        "instance", "now", "outcome", "passed", "step", "visit",
    )  # fmt: skip

    def __init__(self, inside: Inside, answer: "Answer", clock: Callable[[], datetime]) -> None:
        self.inside = inside
        self.instance = inside.id
        self.entered_at = inside.entered_at
        self.step = inside.plan.first
        self.visit = 0
        self.at = self.now = inside.entered_at
        self.passed: tuple[Passed, ...] = ()
        self.outcome: Literal["completed"] | None = None
        self._answer = answer
        self._clock = clock
        self._is_written = False
        self._is_closed = False

    def whole(self) -> Ask:
        """The question as those need it who answer every instance."""
        return Ask.model_construct(
            plan=self.inside.plan.ref,
            instance=self.instance,
            customer=self.inside.customer,
            entered_at=self.entered_at,
            step=self.step,
            visit=self.visit,
            at=self.at,
            now=self.now,
            passed=self.passed,
            outcome=self.outcome,
        )

    def chance(self, salt: str) -> float:
        """The customer's own number at this place."""
        return chance(self.inside.customer, self.inside.plan.name, salt)

    def enter(self, step: str) -> None:
        """A new visit begins; the first one with the entry itself."""
        self.visit += 1
        self.step = step
        self.now = self._clock()
        self.at = self.now if self.visit > 1 else self.entered_at
        self._is_written = False

    async def leave(self, exit: str, target: str | None) -> None:
        """The visit is over: remember it if nobody wrote it down; end after the last one."""
        if not self._is_written:
            over = Passed(visit=self.visit, step=self.step, at=self.at, left_at=self.now, exit=exit)
            self.passed = (*self.passed, over)
        if target is None and not self._is_closed:
            self.outcome = "completed"
            await self._answer(Call.RECORD, self)

    async def ask(self, call: Call) -> Outcome:
        """Have the effect of this visit done now.

        Raises:
            InstanceOver: the instance has ended; nothing more may be done.
            PutOff: it cannot be done now.
        """
        outcome = await self._answer(call, self)
        if outcome.status == "over":
            raise InstanceOver("the instance has ended")
        if outcome.status != "done":
            raise PutOff(outcome.status)
        self.passed = ()
        self._is_written, self._is_closed = outcome.exit is not None, outcome.last
        return outcome

    async def sleep_until(self, instant: datetime) -> NoReturn:
        """Never asked: a journey with such a step is no broadcast."""
        raise TypeError(f"step {self.step!r} waits, in a broadcast")

    async def wait_for(self, until: datetime) -> NoReturn:
        """Never asked: a journey with such a step is no broadcast."""
        raise TypeError(f"step {self.step!r} waits, in a broadcast")


Answer = Callable[[Call, Passage], Awaitable[Outcome]]


@coroutine
def handed_on(call: Call, passage: Passage) -> Generator[Call, Outcome, Outcome]:
    """What a passage asks, handed on to whoever walks it."""
    return (yield call)
