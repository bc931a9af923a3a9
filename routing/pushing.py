"""Pushes changes of audiences to subscribers; one worker at a time does."""

import asyncio
from uuid import UUID

import asyncpg
import structlog

from channels.subscriber import Subscriber
from routing.telling import Patience, Turn
from storage import news, subscriptions
from storage.connection import connect
from storage.pool import FAILED, Pool
from storage.subscriptions import Subscription

log = structlog.get_logger()

LOCK = 0x70757368  # the advisory lock of the one who pushes
POLL = 0.25  # seconds between two looks at the log
STAND_BY = 2.0  # seconds between two tries to be the one who pushes
PURGE_EVERY = 60.0


class Pusher:
    """Pushes while it holds the lock; each subscriber has a task of its own and holds up nobody."""

    def __init__(
        self, url: str, pool: Pool, *, allow_private: bool, patience: Patience | None = None
    ) -> None:
        self._url = url
        self._pool = pool
        self._allow_private = allow_private
        self._patience = patience or Patience()
        self._turns: dict[UUID, asyncio.Task[None]] = {}
        self._subscribers: dict[UUID, Subscriber] = {}
        self._purged_at = float("-inf")

    async def run(self) -> None:
        """Push until cancelled, whenever nobody else does."""
        while True:
            try:
                await self._run_locked()
            except FAILED as error:
                log.warning("push.away", error=type(error).__name__)
            await asyncio.sleep(STAND_BY)

    async def _run_locked(self) -> None:
        connection = await connect(self._url)
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                return
            while True:
                await self._look(connection)
                await asyncio.sleep(POLL)
        finally:
            await self._let_go()
            connection.terminate()

    async def _look(self, connection: asyncpg.Connection) -> None:
        """Give everybody a turn that something is to be told to; the lock's connection says who."""
        self._turns = {id: turn for id, turn in self._turns.items() if not turn.done()}
        for one in await subscriptions.due(connection):
            if one.id not in self._turns:
                self._turns[one.id] = asyncio.create_task(self._turn(one))
        now = asyncio.get_running_loop().time()
        if now - self._purged_at > PURGE_EVERY:
            self._purged_at = now
            await news.purge_notices(connection)
            await self._forget({one.id for one in await subscriptions.listed(connection)})

    async def _turn(self, one: Subscription) -> None:
        """One subscriber's turn; whatever goes wrong in it is that subscriber's alone."""
        subscriber = self._subscribers.get(one.id)
        if subscriber is None:
            subscriber = Subscriber(one.url, one.secret, allow_private=self._allow_private)
            self._subscribers[one.id] = subscriber
        try:
            await Turn(self._pool, subscriber, self._patience).run(one)
        except FAILED as error:
            log.warning("push.away", error=type(error).__name__)
        except Exception as error:
            log.error("push.broken", subscription=str(one.id), exc_info=True)
            wait = self._patience.wait(one.failures)
            await subscriptions.fail(self._pool, one.id, type(error).__name__, wait)

    async def _forget(self, known: set[UUID]) -> None:
        """Close the connections of subscriptions that are gone."""
        for id in self._subscribers.keys() - known - self._turns.keys():
            await self._subscribers.pop(id).close()

    async def _let_go(self) -> None:
        """End every turn: somebody else may have the lock."""
        turns = list(self._turns.values())
        for turn in turns:
            turn.cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        for subscriber in self._subscribers.values():
            await subscriber.close()
        self._turns, self._subscribers = {}, {}
