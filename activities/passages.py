"""The runtime of an instance of a broadcast: it walks within a page, and waits for nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NoReturn
from uuid import UUID

from journeys.calls import Ask, Call, Outcome, Passed
from journeys.chance import chance
from journeys.effects import Inside
from journeys.errors import InstanceOver


@dataclass(slots=True)
class Question:
    """What one visit asks; written once a message, so it is not checked as an `Ask` is."""

    inside: Inside
    instance: UUID
    entered_at: datetime
    step: str
    visit: int
    at: datetime
    now: datetime
    passed: tuple[Passed, ...]
    outcome: Literal["completed"] | None = None

    def whole(self) -> Ask:
        """The same for those who answer every instance."""
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


Answer = Callable[[Call, Question], Awaitable[Outcome]]


class PutOff(Exception):
    """The instance cannot go on now: `busy`, `pending` or `held`, as an `Outcome` says it."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Passage:
    """Walks one instance from its first step, and asks `answer` what it needs.

    Whatever was done before is answered by what is stored, so walking again does nothing twice.
    """

    def __init__(self, inside: Inside, answer: Answer, clock: Callable[[], datetime]) -> None:
        self._inside = inside
        self._answer = answer
        self._clock = clock
        self._step = inside.plan.first
        self._visit = 0
        self._at = inside.entered_at
        self._passed: list[Passed] = []
        self._is_written = False
        self._is_closed = False

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self._clock()

    def chance(self, salt: str) -> float:
        """The customer's own number at this place."""
        return chance(self._inside.customer, self._inside.plan.name, salt)

    def enter(self, step: str) -> None:
        """A new visit begins; the first one with the entry itself."""
        self._visit += 1
        self._step = step
        self._at = self._inside.entered_at if self._visit == 1 else self.now
        self._is_written = False

    async def leave(self, exit: str, target: str | None) -> None:
        """The visit is over: remember it if nobody wrote it down; end after the last one."""
        if not self._is_written:
            self._passed.append(
                Passed(visit=self._visit, step=self._step, at=self._at, left_at=self.now, exit=exit)
            )
        if target is None and not self._is_closed:
            await self._answer(Call.RECORD, self._question(outcome="completed"))

    async def ask(self, call: Call) -> Outcome:
        """Have the effect of this visit done now.

        Raises:
            InstanceOver: the instance has ended; nothing more may be done.
            PutOff: it cannot be done now.
        """
        outcome = await self._answer(call, self._question())
        if outcome.status == "over":
            raise InstanceOver("the instance has ended")
        if outcome.status != "done":
            raise PutOff(outcome.status)
        self._passed = []
        self._is_written, self._is_closed = outcome.exit is not None, outcome.last
        return outcome

    async def sleep_until(self, instant: datetime) -> NoReturn:
        """Never asked: a journey with such a step is no broadcast."""
        raise TypeError(f"step {self._step!r} waits, in a broadcast")

    async def wait_for(self, until: datetime) -> NoReturn:
        """Never asked: a journey with such a step is no broadcast."""
        raise TypeError(f"step {self._step!r} waits, in a broadcast")

    def _question(self, outcome: Literal["completed"] | None = None) -> Question:
        one, passed = self._inside, tuple(self._passed)
        return Question(
            one,
            one.id,
            one.entered_at,
            self._step,
            self._visit,
            self._at,
            self.now,
            passed,
            outcome,
        )
