"""Waits: registered with what they listen for, decided once, by an event or by the time."""

from dataclasses import replace

from temporalio import activity

from activities.world import World, left, stored, taken
from journeys.calls import Ask, Call, Outcome
from routing import judging
from routing.judging import Judged
from routing.registry import Registry
from storage import events

TIMED_OUT = "timed_out"


class Listening:
    """The activities of `wait_for`, and of signals given by hand."""

    def __init__(self, world: World, registry: Registry) -> None:
        self._world = world
        self._registry = registry

    @activity.defn(name=Call.LISTEN)
    async def listen(self, ask: Ask) -> Outcome:
        """Register the wait and commit; then look for an event that has already come.

        The router commits an event's customer and then looks for waits: one side sees the other.
        """
        plan, _, early = await self._world.begin(ask)
        if early is not None:
            return early
        *passed, wait = left(ask, plan, None)
        await self._world.write([*passed, replace(wait, wait_until=ask.until)])
        return await self._looked(ask, unrouted=False) or Outcome()

    @activity.defn(name=Call.LOOK_AGAIN)
    async def look_again(self, ask: Ask) -> Outcome:
        """The time is up: an event that occurred by then and was accepted by now still wins."""
        plan, _, early = await self._world.begin(ask)
        if early is not None:
            return early
        if (outcome := await self._looked(ask, unrouted=True)) is not None:
            return outcome
        return await self._world.conclude(ask, plan, TIMED_OUT, why={"timeout": ask.until})

    @activity.defn(name=Call.JUDGE)
    async def judge(self, ask: Ask) -> Outcome:
        """A signal given by hand: what the stored event that it names does to this instance."""
        found = await events.get(self._world.pool, ask.event) if ask.event else None
        if found is None:
            return Outcome()
        event, owner = found
        here = await self._world.standing(ask)
        if owner is not None and owner != here.customer:
            return Outcome()
        judged = await judging.judge(self._world.pool, self._registry, ask.instance, event, ask.now)
        return await self._outcome(ask, judged)

    async def _looked(self, ask: Ask, *, unrouted: bool) -> Outcome | None:
        judged = await judging.look_back(
            self._world.pool, self._registry, ask.instance, ask.now, unrouted=unrouted
        )
        if judged.effect == "nothing":
            return None
        return await self._outcome(ask, judged)

    async def _outcome(self, ask: Ask, judged: Judged) -> Outcome:
        """What the instance does about it: leave, end, or go on waiting.

        A wait that somebody else closed in the meantime is answered by what is stored.
        """
        if judged.effect == "ended":
            return Outcome(status="over")
        plan = await self._world.plan(ask.plan)
        if judged.visit == ask.visit and judged.exit is not None:
            return taken(ask, plan, judged.exit)
        return stored(ask, plan, await self._world.standing(ask)) or Outcome()
