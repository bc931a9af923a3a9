"""What activities work with: the database, the plans, and what an instance may know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from expressions import Facts, Needs, condition, value
from journeys.calls import Ask, Asked, Outcome
from journeys.plan import Plan
from journeys.steps.base import Source
from routing.catalogs import Catalogs
from storage import facts, journeys, moves, standing, trail
from storage.gather import Gather
from storage.pool import Pool
from storage.standing import Look, Standing
from storage.trail import Visit
from workflows.plans import PLANS, Plans

Written = list[Visit]
TOGETHER = 200  # questions answered by one statement when many come at once


@dataclass(slots=True)
class World:
    """The clients that activities share."""

    pool: Pool
    secret: bytes
    plans: Plans = field(default_factory=lambda: PLANS)
    catalogs: Catalogs = field(default_factory=Catalogs)
    standing_of: Gather[Look, Standing] = field(init=False)
    write: Gather[Written, bool] = field(init=False)

    def __post_init__(self) -> None:
        async def read(looks: list[Look]) -> list[Standing]:
            return await standing.read(self.pool, looks, self.secret)

        async def write(given: list[Written]) -> list[bool]:
            visits = {(one.instance, one.visit): one for group in reversed(given) for one in group}
            written = await trail.write(self.pool, list(visits.values()))
            keys = [(group[-1].instance, group[-1].visit) for group in given]
            return [
                key in written and visits[key] is group[-1]
                for key, group in zip(keys, given, strict=True)
            ]

        self.standing_of = Gather(read, TOGETHER)
        self.write = Gather(write, TOGETHER)

    async def plan(self, ref: str) -> Plan:
        """The plan that a question names."""
        return await self.plans.ensure(ref, self.fetch)

    async def fetch(self, ref: str) -> Plan | None:
        """A plan from the database by its reference."""
        name, _, rest = ref.partition("@")
        return await journeys.plan(self.pool, name, int(rest.partition(":")[0]))

    async def standing(self, ask: Ask) -> Standing:
        """How the asking instance stands; one that was erased is over."""
        return await self.standing_of(Look(ask.instance, ask.entered_at, ask.visit))

    async def begin(
        self, ask: Ask, *, holds: bool = False
    ) -> tuple[Plan, Standing, Outcome | None]:
        """The plan, how the instance stands, and the answer where there already is one.

        A visit that has an effect `holds` while its journey is paused.
        """
        plan, here = await self.plan(ask.plan), await self.standing(ask)
        early = stored(ask, plan, here)
        if early is None and here.is_over:
            early = Outcome(status="over")
        if early is None and holds and here.is_paused:
            early = await self.hold(ask)
        return plan, here, early

    async def conclude(
        self,
        ask: Ask,
        plan: Plan,
        exit: str,
        result: Mapping[str, Any] | None = None,
        why: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Leave the visit by `exit`; of two answers to one question the first one stays."""
        return await self.first(ask, plan, left(ask, plan, exit, result, why)) or taken(
            ask, plan, exit
        )

    async def first(self, ask: Ask, plan: Plan, visits: Written) -> Outcome | None:
        """Write visits down; the answer that stands instead, if one was there before."""
        if await self.write(visits):
            return None
        return stored(ask, plan, await self.standing(ask))

    async def hold(self, ask: Asked) -> Outcome:
        """The journey is paused: the instance stands before this step until it goes on."""
        await trail.write(self.pool, passed(ask))
        await moves.hold(self.pool, ask.instance)
        return Outcome(status="held")

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
        known = Facts(
            now=ask.now, customer=here.attributes, entry=here.entry, steps=steps, history=history
        )
        return await facts.completed(self.pool, known, here.customer, needs)


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
    ask: Asked,
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


def passed(ask: Asked) -> list[Visit]:
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


def taken(ask: Asked, plan: Plan, exit: str) -> Outcome:
    """The answer that a visit leaves by `exit`."""
    return leaving(exit, plan.target(ask.step, exit) is None)


@lru_cache(maxsize=1024)
def leaving(exit: str, last: bool) -> Outcome:
    """The answer to leave by `exit`, which ends the instance if it is the `last`."""
    return Outcome(exit=exit, last=last)


def stored(ask: Asked, plan: Plan, here: Standing) -> Outcome | None:
    """The answer that was given before, if this visit has one."""
    if here.step != ask.step:
        return None
    if here.exit is not None:
        return taken(ask, plan, here.exit)
    until = (here.result or {}).get("until")
    return Outcome.model_validate({"until": until}) if until is not None else None
