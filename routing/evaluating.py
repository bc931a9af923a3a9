"""Finds the members of whole audiences: when one is published, and whenever time asks for it."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from audiences.catalog import Catalog
from audiences.definition import PARTS, AnyAudience, Composition, Order
from audiences.ranking import is_path, path_of
from clock import Clock
from expressions.sql import compile
from expressions.sql.ranks import compile_value
from journeys.chance import salt_of
from routing.catalogs import Catalogs
from routing.qualifying import qualify
from storage import audience_queue, audiences, customers, evaluation, inbox, ranked
from storage.audience_queue import Touched
from storage.audiences import AudienceRow
from storage.connection import connect
from storage.evaluation import Part, Query
from storage.pool import FAILED, Pool

log = structlog.get_logger()

LOCK = 0x70636175  # the advisory lock of the one who evaluates
EVERY = 1.0  # seconds between two rounds
HOURLY = timedelta(hours=1)
DAILY = timedelta(days=1)
DUE = 5_000  # whose time has come, queued in one statement
PAGE = 1_000  # customers whose next check is worked out together


class Evaluation:
    """What one worker at a time does for audiences as a whole."""

    def __init__(self, url: str, pool: Pool, catalogs: Catalogs, clock: Clock) -> None:
        self._url = url
        self._pool = pool
        self._catalogs = catalogs
        self._clock = clock

    async def run(self) -> None:
        """Do it until cancelled, whenever nobody else does."""
        while True:
            try:
                await self._run_locked()
            except FAILED as error:
                log.warning("evaluation.database_away", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def _run_locked(self) -> None:
        connection = await connect(self._url)
        try:
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                while True:
                    await self.once()
                    await asyncio.sleep(EVERY)
        finally:
            connection.terminate()

    async def once(self) -> None:
        """One round: what is new, whose time has come, and what may have gone wrong."""
        now = self._clock.now()
        catalog = await self._catalogs.refresh(self._pool)
        rows = {row.name: row for row in await audiences.listed(self._pool)}
        # What was published since the catalog was read is for the next round.
        for name in sorted(catalog.order.keys() & rows, key=catalog.order.__getitem__):
            row = rows[name]
            if row.ready_at is None:
                await self._found(row, now)
            elif is_due(catalog, row, now):
                await self._compared(catalog, row, now)
            elif row.swept_version != row.version and name in catalog.timely:
                await self._swept(catalog, row)
        while await audience_queue.put_due(self._pool, [*catalog.timely], now, DUE) == DUE:
            log.debug("evaluation.many_due")

    async def _found(self, row: AudienceRow, now: datetime) -> None:
        """Find the first members of a version.

        Every router has to know of it first: what was routed without is seen by this, what is
        routed later waits in the queue until it is ready.
        """
        if await inbox.is_older(self._pool, row.published_at):
            return
        await self.find(row, now)
        log.info("audience.ready", audience=row.name, version=row.version)

    async def _compared(self, catalog: Catalog, row: AudienceRow, now: datetime) -> None:
        """See whether all members are right: who differs is judged again, alone."""
        if row.name in catalog.conditions:
            async with self._pool.acquire() as connection, connection.transaction():
                await evaluation.make_room(connection)
                query = query_of(row.definition, now)
                await evaluation.queue_differing(connection, row.name, query)
            await audiences.mark_ready(self._pool, row.name, row.version, now)
        elif row.kind != "list":
            await self.find(row, now)

    async def find(self, row: AudienceRow, now: datetime) -> None:
        """Find all members by one statement, once nobody judges by an earlier catalog."""
        catalog = await self._catalogs.refresh(self._pool)
        async with self._pool.acquire() as connection, connection.transaction():
            await audience_queue.let_pass(connection)
            await evaluation.make_room(connection)
            await evaluation.find(
                connection,
                row.name,
                query_of(row.definition, now),
                parts_of(row.definition),
                now,
                {"found": f"version {row.version}"},
                catalog.dependents(row.definition.names),
            )
            await audiences.mark_ready(connection, row.name, row.version, now)

    async def _swept(self, catalog: Catalog, row: AudienceRow) -> None:
        """Work out for every customer when time will change the verdict."""
        after: UUID | None = None
        while page := await customers.ids(self._pool, after, PAGE):
            after = page[-1]
            asked = [Touched(id, [row.name]) for id in page]
            async with self._pool.acquire() as connection, connection.transaction():
                await qualify(connection, catalog, asked, self._clock.now())
        await audiences.mark_swept(self._pool, row.name, row.version)


def is_due(catalog: Catalog, row: AudienceRow, now: datetime) -> bool:
    """Whether all members should be looked at again."""
    alone = row.name in catalog.conditions
    pause = DAILY if alone and row.name not in catalog.hourly else HOURLY
    return row.kind != "list" and (row.evaluated_at is None or row.evaluated_at + pause <= now)


def query_of(audience: AnyAudience, now: datetime) -> Query:
    """The statement that finds who is in an audience; raises ExpressionError."""
    if audience.condition is None:
        text = "SELECT customer AS id FROM audience_members WHERE audience = $1"
        return Query(text, [audience.audience])
    statement = compile(audience.condition)
    found = Query(statement.text, statement.arguments(now))
    if isinstance(audience, Composition) and audience.is_ranked:
        order = audience.order_by
        return ranked.first(
            found,
            path_of(audience.distinct_by),
            order_of(order, len(found.parameters) + 1, now),
            ascending=order is not None and order.ascending,
            limit=audience.limit,
        )
    return found


def order_of(order: Order | None, first: int, now: datetime) -> Query:
    """The statement for what members are ranked by; raises ExpressionError."""
    if order is None or is_path(order.value):
        return ranked.by_attribute(path_of(order.value if order else None), first)
    statement = compile_value(order.value, first=first)
    return Query(statement.text, statement.arguments(now))


def parts_of(audience: AnyAudience) -> list[Part]:
    """The parts of an audience, as chance falls to them."""
    if not isinstance(audience, Composition):
        return []
    salt = salt_of(audience.audience, PARTS)
    return [Part(name, salt, low, high) for name, (low, high) in audience.shares.items()]
