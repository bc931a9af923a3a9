"""Rule 10: the simulated and the durable runtime walk the same journey the same way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from clock import Clock
from journeys.definition import Journey
from journeys.event import Event
from journeys.identity import ExternalId
from journeys.plan import Plan, plan_ref
from journeys.simulate import Simulation
from journeys.templates import Renderer, Template
from routing.round import Round
from storage import customers, external_ids
from storage.journeys import change as close
from tests.live.system import TEMPLATE, System, working
from tests.live.walks import START, TRAITS, happenings, journeys, made

NUMBERS = count(1)
Walk = tuple[str | None, list[tuple[str, str]], list[datetime]]


@dataclass
class Durable:
    """Instances whose time is skipped, each by its own clock."""

    live: System
    round: Round
    skipper: TimeSkipper
    clocks: dict[UUID, Clock] = field(default_factory=dict)

    async def feed(self, event: Event, journey: str) -> None:
        """Let time pass until the event, and route it."""
        await self.elapse(journey, event.occurred_at)
        self.round.clock = Clock(origin=datetime.now(UTC), anchor=event.occurred_at)
        await self.live.store(event)
        await self.live.route(self.round)
        for row in await self.open(journey):
            self.clocks.setdefault(row["id"], self.round.clock)

    async def elapse(self, journey: str, until: datetime | None) -> None:
        """Let every open instance live until that instant, or to its end."""
        for row in await self.open(journey):
            handle = self.skipper.client.get_workflow_handle(row["workflow_id"])
            try:
                rest = None
                if until is not None:
                    real = await self.skipper.get_current_time(handle)
                    rest = until - self.clocks[row["id"]].at(real)
                await self.skipper.fast_forward(handle, rest)
            except RPCError:  # it has ended meanwhile
                await handle.result()

    async def open(self, journey: str) -> list[Any]:
        """The instances that have not ended."""
        return list(
            await self.live.pool.fetch(
                "SELECT id, workflow_id FROM instances WHERE journey = $1 AND ended_at IS NULL",
                journey,
            )
        )

    async def walks(self, journey: str) -> dict[UUID, Walk]:
        """How each instance walked: its end, the exits taken, and when."""
        found: dict[UUID, Walk] = {}
        for one in await self.live.pool.fetch(
            "SELECT id, outcome, entered_at, goal_at FROM instances WHERE journey = $1", journey
        ):
            rows = await self.live.pool.fetch(
                """
                SELECT step, exit, at, left_at FROM trail
                WHERE instance = $1 AND exit IS NOT NULL ORDER BY visit
                """,
                one["id"],
            )
            instants = [one["entered_at"], one["goal_at"] or START]
            instants += [instant for row in rows for instant in (row["at"], row["left_at"])]
            exits = [(row["step"], row["exit"]) for row in rows]
            found[one["id"]] = one["outcome"], exits, instants
        return found


@pytest.fixture
async def durable(live: System) -> AsyncIterator[Durable]:
    """A worker, and a router whose clock the test sets."""
    async with working(live.settings, routes=False):
        yield Durable(live, await live.round(), TimeSkipper(await live.client()))


def simulated(plan: Plan, events: list[Event]) -> tuple[Simulation, dict[UUID, Walk]]:
    """The same in simulation."""
    simulation = Simulation([plan], render=Renderer().render)
    for event in events:
        simulation.feed(event)
    simulation.run_out()
    found: dict[UUID, Walk] = {}
    for passage in simulation.passages:
        inside = passage.inside
        instants = [inside.entered_at, inside.goal_at or START]
        exits = []
        for visit in passage.visits:
            if visit.exit in plan.step(visit.step).exits and visit.left_at is not None:
                exits.append((visit.step, str(visit.exit)))
                instants += [visit.at, visit.left_at]
        found[inside.id] = passage.outcome, exits, instants
    return simulation, found


async def introduce(durable: Durable, simulation: Simulation) -> None:
    """Know the customers by the ids that the simulation gave them: splits depend on those."""
    for person in simulation.population:
        await customers.create(durable.live.pool, [person.id], START)
        links = {ExternalId("user_id", user): person.id for user in person.values("user_id")}
        await external_ids.link(durable.live.pool, links, START)


async def both(
    durable: Durable, definition: dict[str, Any], happened: list[Any]
) -> tuple[dict[UUID, Walk], dict[UUID, Walk]]:
    """How the durable runtime walks, and how the simulated one does."""
    number = next(NUMBERS)
    name = f"walk-{number}"
    definition = {"journey": name, **definition}
    templates = {"hello": Template.model_validate(TEMPLATE)}
    plan = Plan(plan_ref(name, 1, "0"), 1, Journey.model_validate(definition), templates)
    events = [
        made("Customer Identified", f"{user}-{number}", timedelta(0), **traits)
        for user, traits in TRAITS.items()
    ] + [made(kind, f"{user}-{number}", after, n=n) for kind, user, after, n in happened]
    await durable.live.publish(definition)

    simulation, expected = simulated(plan, events)
    await introduce(durable, simulation)
    for event in events:
        await durable.feed(event, name)
    await durable.elapse(name, None)
    walked = await durable.walks(name)
    await close(durable.live.pool, name, START, "close")
    return walked, expected


def are_alike(walked: dict[UUID, Walk], expected: dict[UUID, Walk]) -> bool:
    """The same ends and exits, and every instant within a second."""
    return {id: walk[:2] for id, walk in walked.items()} == {
        id: walk[:2] for id, walk in expected.items()
    } and all(
        abs(one - other) < timedelta(seconds=1)
        for id, (_, _, instants) in walked.items()
        for one, other in zip(instants, expected[id][2], strict=True)
    )


@pytest.mark.slow
@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(definition=journeys(), happened=happenings())
async def test_both_runtimes_walk_the_same_way(
    durable: Durable, definition: dict[str, Any], happened: list[Any]
) -> None:
    walked, expected = await both(durable, definition, happened)

    assert are_alike(walked, expected), (walked, expected)
