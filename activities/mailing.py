"""One page of a broadcast on its way: who is next, what is under way, and what is to be written."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from activities.attempts import Attempts, became, patiently
from activities.letters import Channel, Forbidden, Letter
from activities.outbox import Outbox
from activities.parcels import Parcel, Parcels
from activities.passages import Page, Passage, PutOff, handed_on
from activities.sending import Said, deferred, said_of
from activities.world import passed, taken
from channels.base import PermanentFailure, TemporaryFailure, Withdrawn
from clock import Clock
from journeys.calls import Ask, Call, Outcome
from journeys.effects import Inside
from journeys.errors import InstanceOver
from journeys.plan import Plan
from journeys.walk import walk
from storage import pages
from storage.pool import Pool
from storage.trail import Visit

Walking = Coroutine[Call, Any, None]
DONE, BUSY, OVER = Outcome(), Outcome(status="busy"), Outcome(status="over")


@dataclass(frozen=True, slots=True)
class Means:
    """What pages are sent with; `otherwise` answers whatever is not plain sailing."""

    pool: Pool
    attempts: Attempts
    channels: Mapping[str, Channel]
    clock: Clock
    otherwise: Callable[[Ask], Awaitable[Outcome]]


class Mailing:
    """Walks the instances of a page to their messages as providers fetch these.

    A walk is a coroutine that rests at each message until what became of it is known. When the
    page has stopped, nothing more is begun, and what is out comes to its end.
    """

    def __init__(
        self, means: Means, plan: Plan, page: Page, insides: Sequence[Inside], parcels: Parcels
    ) -> None:
        self._means = means
        self._attempts = means.attempts
        self._plan = plan
        self._page = page
        self._insides = iter(insides)
        self._parcels = parcels
        self._outbox = Outbox(page)
        self._asides: set[asyncio.Task[None]] = set()
        self._lines: list[asyncio.Future[Any]] = []
        self._visits: list[Visit] = []
        self._error: Exception | None = None
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())

    async def sent(self) -> None:
        """Return once everybody is through, or the page has stopped and nothing is out.

        What it has come to is written down then: the ledger first, then the trail.
        """
        await self._outbox.emptied(self._begin)
        for failed in await asyncio.gather(*self._lines, return_exceptions=True):
            if isinstance(failed, Exception):
                self._broken(failed)
        if self._visits:
            await patiently(lambda: pages.close(self._means.pool, self._visits))
        if self._error is not None:
            raise self._error

    # Walking ---------------------------------------------------------------------

    def _begin(self) -> bool:
        """Walk the next one to its first message; whether there was one."""
        inside = next(self._insides, None)
        if inside is None:
            return False
        passage = Passage(inside, handed_on, self._means.clock.now)
        self._walk_on(passage, walk(inside.plan, passage, inside.plan.first), None)
        return True

    def _resume(self, parcel: Parcel, outcome: Outcome) -> None:
        """What a walk waited for is known."""
        self._walk_on(parcel.passage, parcel.walking, outcome)
        self._outbox.came_back()

    def _walk_on(self, passage: Passage, walking: Walking, outcome: Outcome | None) -> None:
        """Walk to the next message, if there is one, and offer it."""
        try:
            while True:
                asked = walking.send(outcome)
                answer = self._answer(passage, walking, asked)
                if isinstance(answer, Parcel):
                    self._outbox.offer(answer)
                    return
                outcome = answer
        except (StopIteration, InstanceOver):
            return
        except PutOff as put_off:
            self._page.put_off(passage.inside, put_off, self._means.channels)
        except Exception as error:
            self._broken(error)

    def _answer(self, passage: Passage, walking: Walking, asked: Call) -> Parcel | Outcome:
        """The message that a visit is about, or the answer where there is none to send."""
        if asked is Call.RECORD:
            self._visits += ended(passage)
            return DONE
        if self._page.stopped is not None:
            return Outcome(status=self._page.stopped)
        try:
            parcel = self._parcels.write(self, passage, walking)
        except Forbidden as forbidden:
            return self._skipped(passage, forbidden)
        if parcel is None:
            return OVER
        return parcel if parcel.channel.breaker.allows() else BUSY

    def _skipped(self, passage: Passage, forbidden: Forbidden) -> Outcome:
        """A message must not be sent, and why."""
        letter = Letter.of(passage, self._plan, self._means.channels)
        settle = letter.settled("skipped", reason=forbidden.reason, detail=forbidden.detail)
        self._lines.append(self._attempts.note(settle))
        self._visits += letter.visits(settle)
        return taken(passage, self._plan, letter.circular.exit("skipped") or "")

    # What becomes of messages ------------------------------------------------------

    def commit(self, parcel: Parcel) -> "asyncio.Future[bool]":
        """Pass the point of no return; see `Parcel`."""
        self._attempts.track(parcel.copy, self._task)
        return self._attempts.exchange.put(parcel.copy)

    def settled(self, parcel: Parcel, said: Said) -> None:
        """This became of a message."""
        parcel.channel.breaker.succeeded()
        copy, circular, passage = parcel.copy, parcel.circular, parcel.passage
        self._write(parcel, said)
        self._visits += circular.visits(passage, copy.id, copy.state, copy.reason, copy.detail)
        exit = circular.exit(copy.state)
        self._resume(parcel, BUSY if exit is None else taken(passage, self._plan, exit))

    def failed(self, parcel: Parcel, error: Exception) -> None:
        """A message was not sent, or nobody knows."""
        if isinstance(error, Withdrawn):
            self._attempts.untrack(parcel.copy)
            self._aside(self._withdrawn(parcel))
        elif isinstance(error, TemporaryFailure):
            parcel.channel.breaker.failed()
            self._write(parcel, deferred(error) if parcel.copy.is_committed else None)
            self._resume(parcel, BUSY)
        elif isinstance(error, PermanentFailure) and error.suppress:
            self._aside(self._suppressed(parcel, error))
        elif (said := said_of(error)) is not None:
            self.settled(parcel, said)
        else:
            self._attempts.untrack(parcel.copy)
            self._broken(error)
            self._outbox.came_back()

    def _write(self, parcel: Parcel, said: Said | None) -> None:
        """Have the ledger told; one that never passed the point of no return has no line yet."""
        copy = parcel.copy
        self._attempts.untrack(copy)
        if said is None:
            return
        became(copy, said)
        if copy.is_committed:
            self._lines.append(self._attempts.exchange.put(copy))
            return
        named = {"provider": copy.common.provider, "reason": copy.reason, "detail": copy.detail}
        letter = Letter(copy.id, parcel.passage, parcel.circular)
        settle = letter.settled(copy.state, copy.attempt, **named)
        self._lines.append(self._attempts.note(settle))

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what takes a while; the message counts as under way until then."""

        async def done() -> None:
            try:
                await work
            except Exception as error:
                self._broken(error)
                self._outbox.came_back()

        task = asyncio.create_task(done())
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def _withdrawn(self, parcel: Parcel) -> None:
        """The commit was refused: somebody else has it, or nothing more is to be done."""
        self._resume(parcel, await self._means.otherwise(parcel.passage.whole()))

    async def _suppressed(self, parcel: Parcel, failure: PermanentFailure) -> None:
        """Remember a bad address before the message is settled, which it is in any case."""
        try:
            await self._attempts.suppress(parcel.message, parcel.copy.at)
        except Exception as error:
            self._broken(error)
        self.settled(parcel, Said("refused", "refused", failure.detail))

    def _broken(self, error: Exception) -> None:
        """Something broke: nobody is begun any more."""
        self._error = self._error or error
        self._page.stopped = self._page.stopped or "busy"


def ended(passage: Passage) -> list[Visit]:
    """The visits that rode along to the end of an instance."""
    *before, last = passed(passage)
    return [*before, replace(last, position=None, outcome=passage.outcome)]
