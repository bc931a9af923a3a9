"""What one worker at a time does now and then: resumes, stops, lost starts, retention."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import structlog
from temporalio.service import RPCError

from journeys.calls import Nudge
from routing.registry import insides
from routing.round import Round
from routing.timekeeper import Timekeeper, real_now
from storage import (
    attempts,
    business_events,
    imports,
    joinings,
    leftovers,
    migrate,
    moves,
    retention,
)
from storage.connection import connect
from storage.instances import Instance
from storage.pool import FAILED

log = structlog.get_logger()

LOCK = 0x70636873  # the advisory lock of the one who keeps house
EVERY = 2.0  # seconds between two rounds
PAGE = 100  # instances resumed or stopped in one round: what paces them
LOST = timedelta(seconds=30)
LAPSES = timedelta(seconds=20)
RECENT = timedelta(hours=12)  # longer than anybody can be sending one message
RETENTION_EVERY = 3600.0
IMPORTS = timedelta(days=30)  # how long it is known what of a file was taken


class Housekeeping:
    """Keeps house while it holds the lock."""

    def __init__(self, url: str, round: Round, keep: timedelta) -> None:
        self._url = url
        self._round = round
        self._keep = keep
        self._timekeeper = Timekeeper(round)
        self._closed_since = real_now()
        self._lapsed_at: datetime | None = None
        self._retained_at = float("-inf")

    async def run(self) -> None:
        """Keep house until cancelled, whenever nobody else does."""
        while True:
            try:
                await self._run_locked()
            except (*FAILED, RPCError) as error:
                log.warning("housekeeping.away", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def _run_locked(self) -> None:
        connection = await connect(self._url)
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                return
            while True:
                await self.once(connection)
                await asyncio.sleep(EVERY)
        finally:
            connection.terminate()

    async def once(self, connection: asyncpg.Connection) -> None:
        """One round of everything."""
        await self._start_lost()
        await self._resume()
        await self._stop()
        await self._close_gone()
        await self._lapse()
        now = asyncio.get_running_loop().time()
        if now - self._retained_at > RETENTION_EVERY / self._round.clock.scale:
            self._retained_at = now
            await self._retain(connection)
        await self._timekeeper.once()

    async def _lapse(self) -> None:
        """Name messages whose sender died: at first all, then those of the last hours."""
        now = real_now()
        if self._lapsed_at is not None and now - self._lapsed_at < LAPSES:
            return
        since = self._round.clock.now() - RECENT if self._lapsed_at is not None else None
        await attempts.lapse_all(self._round.pool, since)
        self._lapsed_at = now

    async def _start_lost(self) -> None:
        """Start instances that were registered by somebody who died before starting them."""
        rows = await leftovers.unstarted(self._round.pool, real_now() - LOST, PAGE)
        found = await insides(self._round.registry, self._round.pool, rows)
        await asyncio.gather(*(self._round.start(one) for one in found))
        await moves.mark_started(self._round.pool, [one.id for one in found])

    async def _resume(self) -> None:
        rows = await leftovers.resumable(self._round.pool, PAGE)
        epoch = real_now().isoformat()
        for row in rows:
            await self._round.engine.resume(row.workflow_id, row.id, epoch)
        await moves.released(self._round.pool, [row.id for row in rows])

    async def _stop(self) -> None:
        rows = await leftovers.stopped(self._round.pool, PAGE)
        ended = await moves.end(
            self._round.pool, [row.id for row in rows], self._round.clock.now(), "stopped"
        )
        for row in ended:
            await self._tell_end(row)

    async def _close_gone(self) -> None:
        """End the rows of workflows that were terminated behind our back."""
        since, until = self._closed_since, real_now()
        query = (
            "WorkflowType = 'Journey' AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut') "
            f"AND CloseTime >= '{(since - LOST).isoformat()}'"
        )
        gone: dict[str, str] = {}
        async for one in self._round.engine.client.list_workflows(query):
            gone[one.id] = one.status.name.lower() if one.status else "gone"
        self._closed_since = until
        if not gone:
            return
        running = await leftovers.open_of_workflows(self._round.pool, list(gone))
        for row in running:
            if not await self._round.engine.is_running(row.workflow_id):
                await moves.end(
                    self._round.pool, [row.id], self._round.clock.now(), gone[row.workflow_id]
                )

    async def _retain(self, connection: asyncpg.Connection) -> None:
        now = self._round.clock.now()
        await migrate.extend_partitions(connection, now)
        for name in await retention.drop_before(connection, now - self._keep):
            log.info("retention.dropped", partition=name)
        await joinings.forget(connection, now - self._keep)
        await business_events.forget(connection, now - self._keep)
        while await retention.forget_message_ids(connection, now - self._keep):
            log.debug("retention.message_ids")
        await imports.forget(connection, now - IMPORTS)

    async def _tell_end(self, row: Instance) -> None:
        nudge = Nudge(id=row.id, instance=row.id, ends=True)
        await self._round.engine.nudge(row.workflow_id, nudge)
