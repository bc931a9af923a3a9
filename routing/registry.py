"""The journeys that can be entered now, and the plans of those under way."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from journeys.audience_changes import Listened, listened
from journeys.effects import Gate, Inside, Waiting
from journeys.errors import PlanMissing
from journeys.event import Event
from journeys.plan import Plan
from storage import journeys
from storage.instances import Instance
from storage.pool import Db
from workflows.plans import PLANS, Plans


@dataclass(slots=True)
class Registry:
    """Published versions by journey and number, and who may enter what."""

    plans: Plans = field(default_factory=lambda: PLANS)
    gates: dict[str, Gate] = field(default_factory=dict)
    listened: frozenset[Listened] = frozenset()
    """The changes of audiences that some version of some journey listens to."""
    _refs: dict[tuple[str, int], str] = field(default_factory=dict)
    _changed: int = -1

    async def refresh(self, db: Db, changed: int | None = None) -> None:
        """See what is published, closed and paused; at once, or if `changed` is news."""
        if changed is not None and changed <= self._changed:
            return
        rows = await journeys.listed(db)
        self.gates = {
            row.name: Gate(
                await self.plan(db, row.name, row.version),
                closed=row.closed_at is not None,
                paused=row.paused_at is not None,
            )
            for row in rows
        }
        self.listened = frozenset().union(
            *(listened(one) for one in await journeys.definitions(db))
        )
        self._changed = max((row.changed for row in rows), default=0)

    async def plan(self, db: Db, journey: str, version: int) -> Plan:
        """One published version.

        Raises:
            PlanMissing: there is none.
        """
        ref = self._refs.get((journey, version))
        if ref is not None:
            try:
                return self.plans.get(ref)
            except PlanMissing:
                del self._refs[journey, version]
        plan = await journeys.plan(db, journey, version)
        if plan is None:
            raise PlanMissing(f"{journey}@{version} was never published")
        self.plans.keep(plan)
        self._refs[journey, version] = plan.ref
        return plan

    async def inside(self, db: Db, row: Instance) -> Inside:
        """A row of `instances` with its plan."""
        waiting = None
        if row.wait_visit is not None and row.position and row.wait_since and row.wait_until:
            waiting = Waiting(row.wait_visit, row.position, row.wait_since, row.wait_until)
        return Inside(
            id=row.id,
            plan=await self.plan(db, row.journey, row.version),
            customer=row.customer,
            key=row.key,
            entry_event=row.entry_event,
            entry=row.entry,
            entered_at=row.entered_at,
            workflow_id=row.workflow_id,
            waiting=waiting,
            ended_at=row.ended_at,
            goal_until=row.goal_until,
            goal_at=row.goal_at,
        )

    def entered_by(self, event: Event) -> list[Gate]:
        """The journeys that such an event enters."""
        return [
            gate
            for gate in self.gates.values()
            if gate.plan.journey.entry.is_entered_by(event.name, event.properties)
        ]


async def insides(registry: Registry, db: Db, rows: Iterable[Instance]) -> list[Inside]:
    """Rows of `instances` with their plans."""
    return [await registry.inside(db, row) for row in rows]
