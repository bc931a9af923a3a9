"""What was decided about events: as rows for Postgres, and as orders for Temporal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from journeys.calls import Nudge
from journeys.effects import Effects, Enters, Inside
from journeys.event import Event
from journeys.identity import CustomerId
from storage.instances import Instance
from storage.moves import Nudged
from storage.trail import Refused


@dataclass(frozen=True, slots=True)
class Decided:
    """What one event does, and to which rows."""

    event: Event
    customer: CustomerId
    rows: Mapping[UUID, Instance]
    met: Sequence[Inside]
    effects: Effects

    def exits(self, now: datetime) -> Iterator[Nudged]:
        """The instances that it ends."""
        for end in self.effects.ends:
            yield Nudged(end.inside.id, self.event.id, now, end.why)

    def wakes(self, now: datetime) -> Iterator[Nudged]:
        """The waits that it closes."""
        for wake in self.effects.wakes:
            target = wake.inside.plan.target(wake.step, wake.exit)
            yield Nudged(
                wake.inside.id, self.event.id, now, wake.why, wake.visit, wake.exit, target
            )

    def goals(self) -> Iterator[tuple[UUID, UUID, datetime]]:
        """The goals that it meets: instance, event, instant."""
        for meets in self.effects.meets:
            yield meets.inside.id, self.event.id, self.event.occurred_at

    def refusals(self) -> Iterator[Refused]:
        """What it could have done and did not."""
        at, event = self.event.occurred_at, self.event.id
        for no in self.effects.refusals:
            yield Refused(at, event, no.journey, self.customer, no.reason, no.why)


@dataclass(slots=True)
class Orders:
    """What Temporal has to be told; `heard` where journeys listen to an audience that changed.

    The events made of that wait to be routed.
    """

    heard: bool = False
    starts: list[Inside] = field(default_factory=list)
    nudges: list[tuple[str, Nudge, bool]] = field(default_factory=list)
    """Workflow id, signal, and whether the instance is known to have started."""


def newcomer(enters: Enters) -> dict[str, Any]:
    """The row of an instance that begins."""
    one = enters.inside
    return {
        "id": one.id,
        "journey": one.plan.name,
        "version": one.plan.version,
        "customer": one.customer,
        "key": one.key,
        "workflow_id": one.workflow_id,
        "entry_event": one.entry_event,
        "entry": one.entry,
        "entered_at": one.entered_at,
        "position": one.plan.first,
        "goal_until": one.goal_until,
        "why": enters.why or None,
    }


def orders(decided: Iterable[Decided], registered: set[UUID], *, heard: bool) -> Orders:
    """What Temporal has to be told: of what was decided now, and of what an earlier try decided."""
    told = Orders(heard)
    for one in decided:
        event, rows = one.event, one.rows
        told.starts += [new.inside for new in one.effects.enters if new.inside.id in registered]
        told.starts += [
            inside
            for inside in one.met
            if inside.entry_event == event.id
            and inside.ended_at is None
            and not rows[inside.id].started
        ]
        moved = [
            (end.inside.id, Nudge(id=event.id, instance=end.inside.id, ends=True))
            for end in one.effects.ends
        ]
        moved += [
            (
                wake.inside.id,
                Nudge(id=event.id, instance=wake.inside.id, visit=wake.visit, exit=wake.exit),
            )
            for wake in one.effects.wakes
        ]
        moved += [(row.id, repeated(row)) for row in rows.values() if row.nudge_event == event.id]
        told.nudges += [(rows[id].workflow_id, nudge, rows[id].started) for id, nudge in moved]
    return told


def repeated(row: Instance) -> Nudge:
    """The signal that an earlier try decided and perhaps never sent."""
    return Nudge(
        id=row.nudge_event,
        instance=row.id,
        visit=row.nudge_visit,
        exit=row.nudge_exit,
        ends=row.nudge_visit is None,
    )
