"""Judges whoever is in the queue of the audiences, in batches, for as long as it runs."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog

from clock import Clock
from routing.catalogs import Catalogs
from routing.qualifying import qualify
from storage import audience_queue
from storage.members import Change
from storage.pool import FAILED, Db, Pool

log = structlog.get_logger()

BATCH = 500  # customers judged together
PAUSE = 0.1  # seconds between looks while nobody waits
AWAY = 1.0  # seconds to wait when Postgres is away

Tell = Callable[[Db, Sequence[Change]], Awaitable[bool]]


class Qualifier:
    """Takes customers from the queue; many may run at once, none judges what another holds.

    `tell` hears of what has changed within the transaction; it answers whether to `ring` after it.
    """

    def __init__(
        self, pool: Pool, catalogs: Catalogs, clock: Clock, tell: Tell,
        ring: Callable[[], None],
    ) -> None:  # fmt: skip
        self._pool = pool
        self._catalogs = catalogs
        self._clock = clock
        self._tell = tell
        self._ring = ring

    async def run(self) -> None:
        """Judge until cancelled."""
        while True:
            try:
                if not await self.once():
                    await asyncio.sleep(PAUSE)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                await asyncio.sleep(random.uniform(0.001, 0.02))
            except FAILED as error:
                log.warning("qualifier.database_away", error=type(error).__name__)
                await asyncio.sleep(AWAY)

    async def once(self) -> int:
        """Judge a batch; how many customers it held."""
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            await audience_queue.judging(connection)
            touched = await audience_queue.take(connection, now, BATCH)
            if not touched:
                return 0
            catalog = await self._catalogs.refresh(connection)
            changes = await qualify(connection, catalog, touched, now)
            news = bool(changes) and await self._tell(connection, changes)
        if news:
            self._ring()
        return len(touched)
