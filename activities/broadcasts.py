"""Broadcasts: takes a page of instances through their journey here, without workflows.

The steps, the ledger, the rules and the trail are those of every instance. Whom a provider does
not take at the first try, while it takes others, goes on as a workflow of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Literal
from uuid import UUID

from activities.letters import Channel
from activities.mailings import Mailings
from activities.passages import Answer, Page, Passage, PutOff
from journeys.calls import Ask, Call, Outcome
from journeys.effects import Inside
from journeys.errors import InstanceOver
from journeys.plan import Plan
from journeys.walk import walk
from routing.registry import insides
from routing.round import Round
from storage import broadcasts, moves

AT_ONCE = 40  # instances of a page walking at a time: each connection has a next mail
ORPHANED = timedelta(seconds=10)  # by then whoever entered them should be through
GRACE = 10.0  # seconds for what is under way when a page is cut off
GLANCE = 0.5  # seconds between two looks at a message that somebody else is sending

Answers = Mapping[Call, Callable[[Ask], Awaitable[Outcome]]]
Fate = Literal["done", "busy", "held"]


class Broadcasts:
    """Takes instances of broadcasts to their end.

    `answers` are those of every instance, each written down by itself: for whoever was left behind
    and for journeys that do more than send.
    """

    def __init__(
        self,
        round: Round,
        channels: Mapping[str, Channel],
        mailings: Mailings,
        answers: Answers,
    ) -> None:
        self._round = round
        self._channels = channels
        self._mailings = mailings
        self._answers = answers
        self._mine: set[UUID] = set()

    async def send(self, plan: Plan, insides: Sequence[Inside], *, fresh: bool) -> Fate:
        """Take these to their end, as far as they go now; `fresh`: nobody has begun with them.

        `held`: the run or its journey is paused. `busy`: a provider is away. Cancelled, it begins
        no other message; what is past the point of no return comes to its end all the same.
        """
        page = Page()
        work = self._fresh if fresh and plan.only_sends else self._otherwise
        task = asyncio.create_task(work(plan, page, insides))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            page.stopped = "held"
            await asyncio.wait({task}, timeout=GRACE)
            raise

    async def left_behind(self, run: UUID, limit: int) -> list[Inside]:
        """Whom somebody has entered, and nobody takes further any more."""
        rows = await broadcasts.left_behind(
            self._round.pool, run, list(self._mine), ORPHANED, limit
        )
        return await insides(self._round.registry, self._round.pool, rows)

    async def _fresh(self, plan: Plan, page: Page, insides: Sequence[Inside]) -> Fate:
        with self._claimed(insides) as mine:
            await self._mailings.send(plan, page, mine)
        return await self._concluded(page)

    async def _otherwise(self, plan: Plan, page: Page, insides: Sequence[Inside]) -> Fate:
        async def answer(call: Call, asked: Passage) -> Outcome:
            while page.stopped is None:
                outcome = await self._answers[call](asked.whole())
                if outcome.status != "pending":
                    return outcome
                await asyncio.sleep(GLANCE)
            raise PutOff(page.stopped)

        await self._walk_all(page, insides, answer)
        return await self._concluded(page)

    async def _walk_all(self, page: Page, insides: Sequence[Inside], answer: Answer) -> None:
        with self._claimed(insides) as mine:
            waiting = iter(mine)
            lanes = [self._lane(page, waiting, answer) for _ in range(min(AT_ONCE, len(mine)))]
            ends = await asyncio.gather(*lanes, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    @contextmanager
    def _claimed(self, insides: Iterable[Inside]) -> Iterator[list[Inside]]:
        """Those of these whom nobody here has, as ours meanwhile."""
        mine = [one for one in insides if one.id not in self._mine]
        ids = {one.id for one in mine}
        self._mine |= ids
        try:
            yield mine
        finally:
            self._mine -= ids

    async def _lane(self, page: Page, waiting: Iterator[Inside], answer: Answer) -> None:
        """Walk one after the other; if something breaks, nobody begins anything more."""
        for one in waiting:
            try:
                await walk(one.plan, Passage(one, answer, self._round.clock.now), one.plan.first)
            except InstanceOver:
                continue
            except PutOff as put_off:
                page.put_off(one, put_off, self._channels)
            except BaseException:
                page.stopped = "busy"
                raise

    async def _concluded(self, page: Page) -> Fate:
        if page.stopped is None and page.refused:
            await self._hand_over(page.refused)
        return page.stopped or "done"

    async def _hand_over(self, ids: Iterable[UUID]) -> None:
        """Have each go on as a workflow, which tries again for as long as a message may wait."""
        rows = await broadcasts.hand_over(self._round.pool, list(ids))
        for one in await insides(self._round.registry, self._round.pool, rows):
            await self._round.start(one)
        await moves.mark_started(self._round.pool, [row.id for row in rows])
