"""The activities of runs: one is opened, and gone on with page by page.

A page is registered and the run moved past it in one transaction, so whoever is killed in between
has done all of a page or nothing of it; who was registered and not started is started first by
whoever goes on.
"""

import asyncio
import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID
from weakref import WeakValueDictionary

from temporalio import activity

from activities.broadcasts import Broadcasts
from journeys.effects import Inside
from journeys.plan import Plan
from journeys.schedule import per_second
from routing.groups import enter_page
from routing.occasions import scheduled
from routing.registry import insides
from routing.round import Round
from routing.selection import (
    Leg,
    entries_of,
    legs_of,
    next_leg,
    reach_of,
)
from storage import broadcasts, journeys, members, moves, progress, reach, runs
from storage.runs import Run
from workflows.run import ABANDON, ADVANCE, OPEN, Advance, Advanced, Opened, Opening

PAGE = 500  # customers registered in one transaction
SHEET = 250  # of them where they are sent to here: one lane's turn
LANES = 4  # of a broadcast, over all workers
AT_ONCE = 20  # workflows being started at a time
TURN = 60.0  # seconds after which the workflow is asked to go on
SLEEP = timedelta(seconds=5)  # a longer pause is the workflow's
AWAY = timedelta(seconds=10)  # while a provider does not do its work
OTHERS = timedelta(seconds=1)  # while other lanes come to the end of their pages
BEAT = 2.0

OVER, HELD, GOING = (Advanced(status=one) for one in ("over", "held", "going"))


class Runs:
    """Goes on with runs."""

    def __init__(self, round: Round, broadcasts: Broadcasts) -> None:
        self._round = round
        self._broadcasts = broadcasts
        self._pool = round.pool
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @activity.defn(name=OPEN)
    async def open(self, opening: Opening) -> Opened:
        """The run of an occurrence."""
        run = await scheduled(self._round, opening)
        return Opened(run=run.id if run is not None else None)

    @activity.defn(name=ABANDON)
    async def abandon(self, asked: Advance) -> Advanced:
        """Its workflow was cancelled."""
        now = self._round.clock.now()
        await runs.end(self._pool, asked.run, now, "cancelled", "its workflow was cancelled")
        await broadcasts.end_all(self._pool, asked.run, now, "cancelled")
        return OVER

    @activity.defn(name=ADVANCE)
    async def advance(self, asked: Advance) -> Advanced:
        """Go on with a run for a while."""
        beating = asyncio.create_task(beat(asked.run))
        try:
            return await self._go_on(asked.run, asked.lane)
        finally:
            beating.cancel()

    async def _go_on(self, id: UUID, lane: int | None) -> Advanced:
        run = await runs.get(self._pool, id)
        if run is None:
            return OVER
        plan = await self._round.registry.plan(self._pool, run.journey, run.version)
        await self._begin(run)
        if lane is None and plan.way.is_broadcast and rate_of(plan) is None:
            return Advanced(status="going", lanes=LANES)
        legs, until = legs_of(run, plan), asyncio.get_running_loop().time() + TURN
        while asyncio.get_running_loop().time() < until:
            answer = await self._page(id, plan, legs)
            if answer.status != "going" or answer.pause > SLEEP:
                return answer
            await asyncio.sleep(answer.pause.total_seconds())
        return GOING

    async def _begin(self, run: Run) -> None:
        """Write down that it is under way, and start whom somebody else has left behind."""
        if run.started_at is None:
            whole = run.audience if run.cause != "date" else None
            expected = await members.size(self._pool, whole) if whole else None
            await progress.begin(self._pool, run.id, self._round.clock.now(), expected)
        while rows := await progress.unstarted_instances(self._pool, run.id, PAGE):
            await self._start(await insides(self._round.registry, self._pool, rows))

    async def _page(self, id: UUID, plan: Plan, legs: Sequence[Leg]) -> Advanced:
        """Have the next page enter, if nothing speaks against it."""
        run = await runs.get(self._pool, id)
        journey = await journeys.get(self._pool, plan.name)
        now = self._round.clock.now()
        if run is None or journey is None:
            return OVER
        if run.ended_at is not None or journey.closed_at is not None:
            await runs.end(self._pool, id, now, "cancelled", "the journey was closed")
            await broadcasts.end_all(self._pool, id, now, "cancelled")
            return OVER
        if run.state == "paused" or journey.paused_at is not None:
            await progress.hold(self._pool, id)
            return HELD
        if left := await self._broadcasts.left_behind(id, SHEET):
            return await self._send(plan, left, fresh=False)
        leg = next((one for one in legs if one[0] == run.leg), None)
        if leg is not None or not legs:
            registered = await self._enter(run, plan, leg)
            if registered is not None:
                return await self._take_on(plan, registered)
        return await self._turn(run, next_leg(run, plan, legs, now, journey.enters_since))

    async def _turn(self, run: Run, leg: Leg | None) -> Advanced:
        """Nobody is left here: go on with the next leg when it is its time, or end."""
        now = self._round.clock.now()
        if leg is None:
            if await broadcasts.has_open(self._pool, run.id):
                return Advanced(status="going", pause=OTHERS)
            await runs.end(self._pool, run.id, now, "done")
            return OVER
        if leg[0] > now:
            return Advanced(status="going", pause=(leg[0] - now) / self._round.clock.scale)
        await progress.enter_leg(self._pool, run, leg[0])
        return GOING

    # Entering ------------------------------------------------------------------------

    async def _enter(self, run: Run, plan: Plan, leg: Leg | None) -> list[Inside] | None:
        """Have the next page enter; who has, None where nobody is left.

        Lanes of one process take turns, so that no two of them read the same page.
        """
        async with self._turns.setdefault(run.id, asyncio.Lock()):
            found = await runs.get(self._pool, run.id)
            if found is None or found.leg != run.leg:
                return []
            reach_now = reach_of(found, plan, leg)
            page = await reach.page(self._pool, run.id, reach_now, found.cursor, size_of(plan))
            if not page:
                return None
            entries, now = entries_of(found, plan, page), self._round.clock.now()
            return await enter_page(self._round, found, plan, list(page), entries, now) or []

    async def _take_on(self, plan: Plan, registered: Sequence[Inside]) -> Advanced:
        """Take those who have entered further: here the way is chosen."""
        if plan.way.is_broadcast:
            answer = await self._send(plan, registered, fresh=True)
        else:
            await self._start(registered)
            answer = GOING
        rate = rate_of(plan)
        if rate is None or answer is not GOING:
            return answer
        pause = timedelta(seconds=len(registered) / rate) / self._round.clock.scale
        return Advanced(status="going", pause=pause)

    async def _send(self, plan: Plan, page: Sequence[Inside], *, fresh: bool) -> Advanced:
        """Take a page of a broadcast to its end."""
        match await self._broadcasts.send(plan, page, fresh=fresh):
            case "done":
                return GOING
            case "busy":
                return Advanced(status="going", pause=AWAY)
            case "held":
                return GOING  # the next look at the run says for how long

    async def _start(self, registered: Iterable[Inside]) -> None:
        """Start workflows, a few at a time; those that exist already are left as they are."""
        free = asyncio.Semaphore(AT_ONCE)

        async def start(one: Inside) -> UUID:
            async with free:
                await self._round.start(one)
            return one.id

        started = await asyncio.gather(*(start(one) for one in registered))
        await moves.mark_started(self._pool, started)


def size_of(plan: Plan) -> int:
    """How many enter together."""
    most, rate = SHEET if plan.way.is_broadcast else PAGE, rate_of(plan)
    return most if rate is None else min(most, max(1, math.ceil(rate)))


def rate_of(plan: Plan) -> float | None:
    """How many may enter a second."""
    schedule = plan.journey.entry.schedule
    return per_second(schedule.rate) if schedule is not None and schedule.rate else None


async def beat(run: UUID) -> None:
    """Say again and again that somebody is at it."""
    while True:
        activity.heartbeat(str(run))
        await asyncio.sleep(BEAT)
