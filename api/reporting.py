"""Puts a journey's report together: counts only, in the words of the simulation's report."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import Field

from journeys.model import Duration, Model
from journeys.plan import Plan
from routing.registry import Registry
from storage import messages, reports
from storage.journeys import JourneyRow, JourneyState
from storage.pool import Db
from storage.reports import Exit, Place


class ExitCount(Model):
    """How often a step was left by an exit; `target` is null for the end of the journey."""

    exit: str = Field(examples=["clicked"])
    target: str | None
    count: int


class StepCount(Model):
    """One step: `cut_short` counts visits that the instance's end interrupted, by outcome."""

    step: str = Field(examples=["reaction"])
    kind: str | None = Field(description="null: the newest version has no such step")
    visits: int
    exits: tuple[ExitCount, ...]
    cut_short: Mapping[str, int] = Field(examples=[{"exited": 3}])
    still_here: int


class MessageCount(Model):
    """Messages of one step with one fate."""

    step: str
    channel: str
    state: str
    reason: str | None
    count: int


class RefusalCount(Model):
    """Why events that could have moved something did not."""

    reason: str = Field(examples=["condition"])
    decided_by: str = Field(examples=["event.total > 20.0"])
    step: str | None
    events: int
    customers: int


class GoalCount(Model):
    """How many instances met the goal, and how fast (seconds) half of those did."""

    event: str
    within: Duration
    met: int
    median: float | None


class Report(Model):
    """What became of everybody who entered a journey."""

    journey: str
    state: JourneyState
    version: int
    entered: int
    customers: int
    first_entry: datetime | None
    last_entry: datetime | None
    by_version: Mapping[int, int] = Field(examples=[{"1": 40, "2": 7}])
    still_inside: int
    outcomes: Mapping[str, int] = Field(examples=[{"completed": 31, "exited": 9}])
    steps: tuple[StepCount, ...]
    messages: tuple[MessageCount, ...]
    goal: GoalCount | None
    refusals: tuple[RefusalCount, ...]


async def report(db: Db, registry: Registry, row: JourneyRow) -> Report:
    """Count everything about one journey."""
    plan = await registry.plan(db, row.name, row.version)
    totals = await reports.totals(db, row.name)
    goal = plan.journey.goal
    return Report(
        journey=row.name,
        state=row.state,
        version=row.version,
        entered=totals.entered,
        customers=totals.customers,
        first_entry=totals.first,
        last_entry=totals.last,
        by_version=await reports.versions(db, row.name),
        still_inside=totals.inside,
        outcomes=await reports.outcomes(db, row.name),
        steps=tuple(
            steps(plan, await reports.exits(db, row.name), await reports.places(db, row.name))
        ),
        messages=tuple(
            MessageCount.model_validate(dict(one)) for one in await messages.counts(db, row.name)
        ),
        goal=None
        if goal is None
        else GoalCount(
            event=goal.event, within=goal.within, met=totals.goals, median=totals.median
        ),
        refusals=tuple(
            RefusalCount(
                reason=one.reason,
                decided_by=one.decided_by,
                step=one.step,
                events=one.events,
                customers=one.customers,
            )
            for one in await reports.refusals(db, row.name)
        ),
    )


def steps(plan: Plan, exits: Sequence[Exit], places: Sequence[Place]) -> Iterable[StepCount]:
    """The steps in the order of the newest version, then those of older ones."""
    counted = dict.fromkeys([*(one.step for one in exits), *(one.step for one in places)])
    for id in dict.fromkeys([*plan.steps, *counted]):
        left = [one for one in exits if one.step == id]
        cut: Counter[str] = Counter()
        here = 0
        for place in places:
            if place.step == id and place.outcome is not None:
                cut[place.outcome] += place.count
            elif place.step == id:
                here += place.count
        yield StepCount(
            step=id,
            kind=plan.steps[id].kind if id in plan.steps else None,
            visits=sum(one.count for one in left) + cut.total() + here,
            exits=tuple(
                ExitCount(exit=one.exit, target=plan.targets.get((id, one.exit)), count=one.count)
                for one in left
            ),
            cut_short=dict(cut),
            still_here=here,
        )
