"""Routes events of different customers: decides in one transaction, then tells Temporal."""

import asyncio
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg

from clock import Clock
from journeys.calls import Nudge
from journeys.event import Event
from journeys.identity import CustomerId
from journeys.triggers import About, Effects, Enters, Inside, Refusal, effects_of
from routing.known import about, known
from routing.registry import Registry, insides
from storage import customers, instances, trail
from storage.customers import Customer
from storage.instances import Instance, Nudged
from storage.pool import Db
from storage.trail import Refused
from workflows.client import Engine, StillClosing
from workflows.start import Start

CLOSING = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # seconds an earlier run is given to close


class NotStarted(Exception):
    """An event moves an instance whose workflow does not exist yet: it is routed again later."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What one event does, and to which rows."""

    event: Event
    customer: CustomerId
    rows: Mapping[UUID, Instance]
    met: Sequence[Inside]
    effects: Effects


@dataclass(slots=True)
class Orders:
    """What Temporal has to be told."""

    starts: list[Inside] = field(default_factory=list)
    nudges: list[tuple[str, Nudge, bool]] = field(default_factory=list)
    """Workflow id, signal, and whether the instance is known to have started."""


@dataclass(slots=True)
class Round:
    """What routing needs: the database, the journeys, the engine."""

    pool: asyncpg.Pool
    registry: Registry
    engine: Engine
    clock: Clock
    secret: bytes
    late: timedelta

    def workflow_id(self, journey: str, customer: UUID, key: str | None) -> str:
        """`journey/customer[/h]`: opaque ids only; `h` hides the key."""
        if key is None:
            return f"{journey}/{customer}"
        digest = hmac.new(self.secret, key.encode(), sha256).hexdigest()[:16]
        return f"{journey}/{customer}/{digest}"

    # Deciding ----------------------------------------------------------------------

    async def decide(self, batch: Sequence[Event], owners: Mapping[UUID, CustomerId]) -> Orders:
        """Decide under the customers' row locks what each event does, and write it down.

        `batch` has at most one event a customer.
        """
        mine = [event for event in batch if event.id in owners]
        if not mine:
            return Orders()
        receipts = await about(self.pool, mine)
        async with self.pool.acquire() as connection, connection.transaction():
            people = await customers.locked(
                connection,
                {owners[event.id] for event in mine},
                [(event, owners[event.id]) for event in mine],
            )
            names = {gate.plan.name for one in mine for gate in self.registry.entered_by(one.name)}
            rows = await instances.around(
                connection,
                people,
                [event.id for event in mine],
                names,
                min(event.occurred_at for event in mine),
            )
            decided = [
                await self._decided(
                    connection,
                    event,
                    people[owners[event.id]],
                    [row for row in rows if row.customer == owners[event.id]],
                    receipts.get(event.id),
                )
                for event in mine
                if owners[event.id] in people
            ]
            registered = await self._write(connection, decided)
        return orders(decided, registered)

    async def _decided(
        self,
        db: Db,
        event: Event,
        customer: Customer,
        rows: list[Instance],
        receipt: About | None,
    ) -> Decided:
        met = await insides(self.registry, db, rows)
        gates = self.registry.entered_by(event.name)
        by_id = {row.id: row for row in rows}
        if event.received_at - event.occurred_at > self.late:
            why = {"occurred_at": event.occurred_at, "limit_seconds": self.late.total_seconds()}
            refusals = [Refusal(gate.plan.name, "late", why) for gate in gates]
            return Decided(event, customer.id, by_id, met, Effects(refusals=refusals))
        entered = [gate.plan for gate in gates]
        facts = await known(db, event, customer.id, customer.attributes, met, entered)
        effects = effects_of(event, customer.id, met, gates, facts.facts(event), receipt)
        effects.enters = [self._named(one) for one in effects.enters]
        return Decided(event, customer.id, by_id, met, effects)

    def _named(self, enters: Enters) -> Enters:
        one = enters.inside
        id = self.workflow_id(one.plan.name, one.customer, one.key)
        return Enters(replace(one, workflow_id=id), enters.why)

    async def _write(self, db: Db, decided: Iterable[Decided]) -> set[UUID]:
        """Write down what was decided; the instances that are new."""
        now, decided = self.clock.now(), list(decided)
        exits = [
            Nudged(end.inside.id, one.event.id, now, end.why)
            for one in decided
            for end in one.effects.ends
        ]
        wakes = [
            Nudged(
                wake.inside.id,
                one.event.id,
                now,
                wake.why,
                wake.visit,
                wake.exit,
                wake.inside.plan.target(wake.step, wake.exit),
            )
            for one in decided
            for wake in one.effects.wakes
        ]
        goals = [
            (meets.inside.id, one.event.id, one.event.occurred_at)
            for one in decided
            for meets in one.effects.meets
        ]
        refusals = [
            Refused(
                one.event.occurred_at, one.event.id, no.journey, one.customer, no.reason, no.why
            )
            for one in decided
            for no in one.effects.refusals
        ]
        newcomers = [newcomer(enters) for one in decided for enters in one.effects.enters]
        if exits:
            await instances.exit(db, exits)
        if wakes:
            await instances.wake(db, wakes)
        if goals:
            await instances.meet_goals(db, goals)
        if refusals:
            await trail.refuse(db, refusals)
        return await instances.register(db, newcomers) if newcomers else set()

    # Telling -----------------------------------------------------------------------

    async def tell(self, told: Orders) -> list[UUID]:
        """Start and signal what was decided; the instances that have started.

        Raises:
            NotStarted: a signal found no workflow where one is about to be.
            RPCError: Temporal is away.
        """
        await asyncio.gather(*(self.start(one) for one in told.starts))
        heard = await asyncio.gather(
            *(self.engine.nudge(workflow_id, nudge) for workflow_id, nudge, _ in told.nudges)
        )
        for was_heard, (workflow_id, _, has_started) in zip(heard, told.nudges, strict=True):
            if not was_heard and not has_started:
                raise NotStarted(workflow_id)
        return [one.id for one in told.starts]

    async def start(self, one: Inside) -> None:
        """Start the workflow of a registered instance; harmless when done twice."""
        start = Start(
            plan=one.plan.ref,
            instance=one.id,
            customer=one.customer,
            entered_at=one.entered_at,
            clock=self.clock if self.clock.origin else None,
        )
        for pause in CLOSING:
            try:
                await self.engine.start(one.workflow_id, start)
            except StillClosing:
                await asyncio.sleep(pause)
            else:
                return
        await self.engine.start(one.workflow_id, start, replaces=True)


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


def orders(decided: Iterable[Decided], registered: set[UUID]) -> Orders:
    """What Temporal has to be told: of what was decided now, and of what an earlier try decided."""
    told = Orders()
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
