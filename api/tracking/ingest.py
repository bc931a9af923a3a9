"""The way of every event into the database, whoever brings it.

Gathered under load, each once, and after the commit the routers hear of it.
"""

import asyncio
from collections.abc import Sequence

import structlog

from clock import Clock
from journeys.errors import JourneyError
from journeys.event import Event, EventId
from storage import events as storage
from storage.gather import Gather, is_data_error
from storage.keys import Keys
from storage.notify import Bell
from storage.pool import Pool

log = structlog.get_logger()

TOGETHER = 1000  # events of small requests in one statement; a larger batch goes alone
LANES = 2
DEADLINE = 10.0  # clients give up after 15 seconds or so; they must hear a 503 before


class RowsRefused(JourneyError):
    """The database takes some of these events never; the others are stored."""

    def __init__(self, refused: dict[EventId, str], accepted: set[EventId]) -> None:
        super().__init__("; ".join(refused.values()))
        self.refused = refused
        self.accepted = accepted


class Ingest:
    """Stores events; one a process, kept as `app.state.ingest`."""

    def __init__(self, pool: Pool, clock: Clock, keys: Keys) -> None:
        self.clock = clock
        self.keys = keys
        self.bell = Bell(pool)
        self._pool = pool
        self._gather = Gather(self._store, TOGETHER, weigh=len, lanes=LANES)

    async def accept(self, events: Sequence[Event]) -> set[EventId]:
        """Store what is new and say which that was; returns after the commit.

        RowsRefused names rows that can never be stored; all others are then. After any other error
        it is unknown what was stored, and doing it again is right.
        """
        if not events:
            return set()
        new, refused = await self._take(events)
        if refused:
            raise RowsRefused(refused, new)
        return new

    async def _take(self, events: Sequence[Event]) -> tuple[set[EventId], dict[EventId, str]]:
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._gather(events), {}
        except Exception as error:  # only errors of data end here
            if not is_data_error(error):
                raise
            if len(events) == 1:
                log.warning("ingest.refused", event=str(events[0].id), error=type(error).__name__)
                return set(), {events[0].id: str(error)}
        middle = len(events) // 2
        new, refused = await self._take(events[:middle])
        more, also = await self._take(events[middle:])
        return new | more, refused | also

    async def _store(self, requests: list[Sequence[Event]]) -> list[set[EventId]]:
        together = [event for events in requests for event in events]
        async with asyncio.timeout(DEADLINE), self._pool.acquire() as connection:
            new = await storage.insert(connection, together)
        if new:
            self.bell.ring()
        answers = []
        for events in requests:
            answers.append(new & {event.id for event in events})
            new -= answers[-1]
        return answers
