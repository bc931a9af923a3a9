"""What activities work with: the database, the plans, the channels, and what an instance may know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import asyncpg

from expressions import Facts, Needs, condition, value
from journeys.calls import Ask, Outcome
from journeys.plan import Plan
from journeys.steps.base import Source
from storage import journeys, standing, trail
from storage.standing import Standing
from storage.trail import Visit
from workflows.plans import PLANS, Plans

OutcomeWord = Literal["completed", "cancelled", "failed"]


@dataclass(slots=True)
class World:
    """The clients that activities share."""

    pool: asyncpg.Pool
    plans: Plans = field(default_factory=lambda: PLANS)

    async def plan(self, ref: str) -> Plan:
        """The plan that a question names."""
        return await self.plans.ensure(ref, self.fetch)

    async def fetch(self, ref: str) -> Plan | None:
        """A plan from the database by its reference."""
        name, _, rest = ref.partition("@")
        return await journeys.plan(self.pool, name, int(rest.partition(":")[0]))

    async def standing(self, ask: Ask) -> Standing:
        """How the asking instance stands; one that was erased is over."""
        here = await standing.read(self.pool, ask.instance, ask.entered_at, ask.visit)
        return here or standing.gone(ask.instance)

    async def facts(self, ask: Ask, here: Standing, sources: Iterable[Source]) -> Facts:
        """What the expressions `sources` may see, read as far as they need it."""
        needs = needs_of(sources)
        steps: Mapping[str, Any] = {}
        if needs.steps or "steps" in needs.roots:
            steps = await trail.outputs(self.pool, ask.entered_at, ask.instance)
        history = (
            await standing.history(self.pool, here.customer, sorted(needs.events), ask.now)
            if needs.events
            else {}
        )
        return Facts(
            now=ask.now, customer=here.attributes, entry=here.entry, steps=steps, history=history
        )


def needs_of(sources: Iterable[Source]) -> Needs:
    """What a step's expressions have to know."""
    compiled = (
        condition(one.text, roots=one.roots)
        if one.gives == "condition"
        else value(one.text, roots=one.roots)
        for one in sources
    )
    return Needs.of(*(one.needs for one in compiled))


def left(
    ask: Ask,
    plan: Plan,
    exit: str | None,
    result: Mapping[str, Any] | None = None,
    why: Mapping[str, Any] | None = None,
) -> list[Visit]:
    """The visits to write down: those that rode along, then this one, over or (no exit) lasting."""
    target = ask.step if exit is None else plan.target(ask.step, exit)
    return [
        *passed(ask),
        Visit(
            instance=ask.instance,
            entered_at=ask.entered_at,
            visit=ask.visit,
            step=ask.step,
            at=ask.at,
            left_at=None if exit is None else ask.now,
            exit=exit,
            result=result,
            why=why,
            position=target,
            outcome="completed" if target is None else None,
        ),
    ]


def passed(ask: Ask) -> list[Visit]:
    """The visits that rode along with a question."""
    return [
        Visit(
            instance=ask.instance,
            entered_at=ask.entered_at,
            visit=one.visit,
            step=one.step,
            at=one.at,
            left_at=one.left_at,
            exit=one.exit,
            position=ask.step,
        )
        for one in ask.passed
    ]


def taken(ask: Ask, plan: Plan, exit: str) -> Outcome:
    """The answer that a visit leaves by `exit`."""
    return Outcome(exit=exit, last=plan.target(ask.step, exit) is None)


def stored(ask: Ask, plan: Plan, here: Standing) -> Outcome | None:
    """The answer that was given before, if this visit has one."""
    if here.step != ask.step:
        return None
    if here.exit is not None:
        return taken(ask, plan, here.exit)
    until = (here.result or {}).get("until")
    return Outcome.model_validate({"until": until}) if until is not None else None
