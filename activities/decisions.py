"""Decisions and changes: what a step makes of the facts, written under its visit."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid5

from temporalio import activity

from activities.world import World, left, passed
from journeys.calls import Ask, Call, Outcome
from journeys.event import Event, event_id
from journeys.plan import Plan
from journeys.steps.base import Decision
from journeys.steps.emit import CHAIN_LIMIT, EMITTED, FAILED, Emit
from routing.touching import touch_attributes
from storage import customers, external_ids, instances, moves
from storage.customers import Written
from storage.standing import Standing

Accept = Callable[[list[Event]], Awaitable[object]]


class Decisions:
    """Branches, computed waits, updates, emitted events, and plain bookkeeping."""

    def __init__(self, world: World, accept: Accept) -> None:
        self._world = world
        self._accept = accept

    @activity.defn(name=Call.DECIDE)
    async def decide(self, ask: Ask) -> Outcome:
        """The exit or the instant that the step makes of the facts."""
        plan, here, early = await self._world.begin(ask)
        if early is not None:
            return early
        decision = await self._decision(ask, plan, here)
        until = decision.until
        result = {"until": until} if until is not None and decision.exit is None else None
        return await self._write(ask, plan, decision, result)

    @activity.defn(name=Call.UPDATE)
    async def update(self, ask: Ask) -> Outcome:
        """Set the customer's attributes; harmless when done twice."""
        plan, here, early = await self._world.begin(ask, holds=True)
        if early is not None:
            return early
        decision = await self._decision(ask, plan, here)
        if decision.output:
            at = ask.now.timestamp()
            await customers.write(
                self._world.pool,
                [Written(here.customer, decision.output, dict.fromkeys(decision.output, at))],
            )
            catalog = await self._world.catalogs.refresh(self._world.pool)
            await touch_attributes(self._world.pool, catalog, here.customer, decision.output)
        return await self._write(ask, plan, decision, decision.output or None)

    @activity.defn(name=Call.EMIT)
    async def emit(self, ask: Ask) -> Outcome:
        """Make an event of the customer; its message id is the visit's, so it is made once."""
        plan, here, early = await self._world.begin(ask, holds=True)
        if early is not None:
            return early
        step = plan.step(ask.step)
        assert isinstance(step, Emit)  # noqa: S101 -- only an emit asks this
        decision = await self._decision(ask, plan, here)
        if decision.exit == EMITTED:
            depth = await instances.depth(self._world.pool, here.entry_event)
            if depth >= CHAIN_LIMIT:
                decision = Decision(
                    exit=FAILED,
                    why={"reason": f"a chain of emitted events stops at {CHAIN_LIMIT}"},
                )
            else:
                await self._accept([await self._made(ask, here, step, decision, depth + 1)])
        return await self._write(ask, plan, decision, decision.output or None)

    @activity.defn(name=Call.RECORD)
    async def record(self, ask: Ask) -> Outcome:
        """Write down the visits that rode along, and the end if this is it."""
        if ask.passed:
            await self._world.write(passed(ask))
        if ask.outcome is not None:
            await moves.end(self._world.pool, [ask.instance], ask.now, ask.outcome)
        return Outcome()

    async def _decision(self, ask: Ask, plan: Plan, here: Standing) -> Decision:
        step = plan.step(ask.step)
        return step.decide(await self._world.facts(ask, here, step.sources()))

    async def _write(
        self, ask: Ask, plan: Plan, decision: Decision, result: Mapping[str, Any] | None
    ) -> Outcome:
        """Write the decision down, and answer with it."""
        if decision.exit is not None:
            return await self._world.conclude(ask, plan, decision.exit, result, decision.why)
        visits = left(ask, plan, None, result, decision.why)
        before = await self._world.first(ask, plan, visits)
        return before or Outcome(until=decision.until)

    async def _made(
        self, ask: Ask, here: Standing, step: Emit, decision: Decision, depth: int
    ) -> Event:
        message_id = f"emit:{uuid5(ask.instance, f'{ask.step}/{ask.visit}')}"
        ids = await external_ids.of_customer(self._world.pool, here.customer)
        named = {id.kind: id.value for id in reversed(ids)}
        return Event(
            id=event_id(message_id),
            received_at=ask.now,
            occurred_at=ask.now,
            kind="track",
            name=step.event,
            message_id=message_id,
            user_id=named.get("user_id"),
            anonymous_id=None if "user_id" in named else named.get("anonymous_id"),
            properties=dict(decision.output),
            context={"journey": plan_name(ask.plan), "instance": str(ask.instance)},
            depth=depth,
        )


def plan_name(ref: str) -> str:
    """The journey that a plan reference names."""
    return ref.partition("@")[0]
