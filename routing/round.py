"""Routes events of different customers: decides in one transaction, then tells Temporal."""

import asyncio
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from clock import Clock
from journeys.effects import About, Effects, Inside, Refusal
from journeys.event import Event
from journeys.identity import CustomerId
from journeys.triggers import effects_of
from routing.announcing import announce
from routing.catalogs import Catalogs
from routing.known import about, known
from routing.orders import Decided, Orders, newcomer, orders
from routing.qualifying import qualify
from routing.registry import Registry, insides
from routing.touching import touched_by
from storage import audience_queue, customers, instances, moves, trail
from storage.audience_queue import Touched
from storage.customers import Customer
from storage.instances import Instance
from storage.pool import Db, Pool
from workflows.client import Engine, StillClosing
from workflows.start import Start

CLOSING = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # seconds an earlier run is given to close


class NotStarted(Exception):
    """An event moves an instance whose workflow does not exist yet: it is routed again later."""


@dataclass(slots=True)
class Round:
    """What routing needs: the database, the journeys, the engine."""

    pool: Pool
    registry: Registry
    engine: Engine
    clock: Clock
    secret: bytes
    late: timedelta
    catalogs: Catalogs = field(default_factory=Catalogs)

    def name(self, newcomer: Inside) -> None:
        """Say which workflow will be its own."""
        newcomer.workflow_id = self.workflow_id(newcomer.plan.name, newcomer.customer, newcomer.key)

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
        touched = touched_by(self.catalogs.catalog, mine, owners)
        async with self.pool.acquire() as connection, connection.transaction():
            if touched:
                await audience_queue.judging(connection)
            people = await customers.locked(
                connection,
                {owners[event.id] for event in mine},
                [(event, owners[event.id]) for event in mine],
            )
            names = {gate.plan.name for one in mine for gate in self.registry.entered_by(one)}
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
            heard = await self._judge(connection, touched, people, mine) if touched else False
        return orders(decided, registered, heard=heard)

    async def _decided(
        self,
        db: Db,
        event: Event,
        customer: Customer,
        rows: list[Instance],
        receipt: About | None,
    ) -> Decided:
        gates = self.registry.entered_by(event)
        if not gates and not rows:
            return Decided(event, customer.id, {}, [], Effects())
        met = await insides(self.registry, db, rows)
        by_id = {row.id: row for row in rows}
        if event.received_at - event.occurred_at > self.late:
            why = {"occurred_at": event.occurred_at, "limit_seconds": self.late.total_seconds()}
            refusals = [Refusal(gate.plan.name, "late", why) for gate in gates]
            return Decided(event, customer.id, by_id, met, Effects(refusals=refusals))
        entered = [gate.plan for gate in gates]
        facts = await known(db, event, customer.id, customer.attributes, met, entered)
        effects = effects_of(event, customer.id, met, gates, facts.facts(event), receipt)
        for enters in effects.enters:
            self.name(enters.inside)
        return Decided(event, customer.id, by_id, met, effects)

    async def _write(self, db: Db, decided: Sequence[Decided]) -> set[UUID]:
        """Write down what was decided; the instances that are new."""
        now = self.clock.now()
        if exits := [row for one in decided for row in one.exits(now)]:
            await moves.exit(db, exits)
        if wakes := [row for one in decided for row in one.wakes(now)]:
            await moves.wake(db, wakes)
        if goals := [row for one in decided for row in one.goals()]:
            await moves.meet_goals(db, goals)
        if refusals := [row for one in decided for row in one.refusals()]:
            await trail.refuse(db, refusals)
        newcomers = [newcomer(enters) for one in decided for enters in one.effects.enters]
        return await instances.register(db, newcomers) if newcomers else set()

    async def _judge(
        self,
        db: Db,
        touched: Sequence[Touched],
        people: Mapping[CustomerId, Customer],
        batch: Iterable[Event],
    ) -> bool:
        """Judge whom the events touch; whether a journey hears of what that changes.

        That is after they were received, by whichever clock.
        """
        catalog = await self.catalogs.refresh(db)
        now = max(self.clock.now(), *(event.received_at for event in batch))
        changes = await qualify(db, catalog, touched, now, people)
        return await announce(db, changes, self.registry.listened)

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
