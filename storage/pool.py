"""Lends connections to Postgres to whoever runs a statement."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg

from storage.connection import connect

LIFETIME = 600.0  # seconds; plans made while a table was small do not outlive their connection
# Postgres or the way to it is away: starting, stopping, killed. What was asked may have been done.
UNREACHABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
# Whatever a statement may fail with, for those who go on all the same.
FAILED = (*UNREACHABLE, asyncpg.PostgresError)
SPOILING = (asyncio.CancelledError, *UNREACHABLE)
LEAVE = 10.0  # seconds that a pool being closed waits for those in use


# For statements that look up a handful of rows by their ids. A plan that is made while a table is
# empty, or before it is analyzed, reads all of it, and is kept while it grows.
BY_INDEX = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}


class Pool:
    """At most `size` connections to one database, opened when they are needed.

    The driver's own pool spends twice as much on lending a connection as a short statement costs.
    Here a connection is lent as it is: nobody leaves settings, locks or listeners on it. One that
    comes back in the middle of a transaction, or after what may have spoilt it, is closed. Who
    waits is served in turn.
    """

    def __init__(self, url: str, size: int, settings: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._size = size
        self._settings = dict(settings or {})
        self._idle: list[asyncpg.Connection] = []
        self._lent: set[asyncpg.Connection] = set()
        self._opening = 0
        self._expiry: dict[asyncpg.Connection, float] = {}
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()
        self._is_closed = False
        self._is_left = asyncio.Event()  # when the last that was lent has come back after the end

    def acquire(self) -> "Loan":
        """A connection for as long as the `with` block lasts."""
        return Loan(self)

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """The rows of one statement, on whichever connection."""
        async with Loan(self) as connection:
            return await connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: object) -> asyncpg.Record | None:
        """Its first row."""
        async with Loan(self) as connection:
            return await connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: object) -> Any:
        """The first value of its first row."""
        async with Loan(self) as connection:
            return await connection.fetchval(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        """Its status, such as `UPDATE 3`."""
        async with Loan(self) as connection:
            return await connection.execute(query, *args)

    async def take(self) -> asyncpg.Connection:
        """A connection, to be given back; see `acquire`.

        Raises:
            OSError, asyncpg.PostgresError: the server cannot be reached, or refuses.
            asyncpg.InterfaceError: the pool is closed.
        """
        while not self._is_closed:
            if self._idle:
                connection = self._idle.pop()
                if connection.is_closed():
                    self._expiry.pop(connection, None)
                    continue
            elif len(self._lent) + self._opening < self._size:
                connection = await self._open()
            else:
                handed = await self._turn()
                if handed is None:
                    continue
                connection = handed
            self._lent.add(connection)
            return connection
        raise asyncpg.InterfaceError("the pool is closed")

    def give_back(self, connection: asyncpg.Connection, *, is_clean: bool = True) -> None:
        """Lend it to whoever waits, or keep it; one that cannot be used any more is closed."""
        self._lent.discard(connection)
        is_old = self._expiry.get(connection, 0.0) < asyncio.get_running_loop().time()
        if is_old or self._is_closed or not is_clean or connection.is_in_transaction():
            self._drop(connection)
        elif not self._hand(connection):
            self._idle.append(connection)
        if self._is_closed and not self._lent:
            self._is_left.set()

    async def close(self) -> None:
        """Close all of them; those in use when they come back, or after a while."""
        self._is_closed = True
        while self._waiting:
            self._hand(None)
        closing = [one.close(timeout=LEAVE) for one in self._idle]
        self._idle.clear()
        await asyncio.gather(*closing, return_exceptions=True)
        if self._lent:
            await asyncio.wait({asyncio.ensure_future(self._is_left.wait())}, timeout=LEAVE)
        for connection in self._lent:
            connection.terminate()

    async def _open(self) -> asyncpg.Connection:
        self._opening += 1
        try:
            connection = await connect(self._url, self._settings)
        except BaseException:
            self._hand(None)  # whoever waits may have more luck
            raise
        finally:
            self._opening -= 1
        self._expiry[connection] = asyncio.get_running_loop().time() + LIFETIME
        return connection

    async def _turn(self) -> asyncpg.Connection | None:
        """Wait for one to come back; None: somebody has dropped one, look again."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return cast("asyncpg.Connection | None", await turn)
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                handed = turn.result()
                if handed is None:
                    self._hand(None)
                else:
                    self.give_back(handed)
            raise

    def _hand(self, connection: asyncpg.Connection | None) -> bool:
        """Give the turn to the first who still waits; whether there is one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _drop(self, connection: asyncpg.Connection) -> None:
        self._expiry.pop(connection, None)
        if not connection.is_closed():
            connection.terminate()
        self._hand(None)


class Loan:
    """A connection while a `with` block lasts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._connection: asyncpg.Connection

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: object
    ) -> None:
        is_refused = kind is not None and issubclass(kind, ValueError)  # a value, before it is sent
        is_clean = kind is None or is_refused or not issubclass(kind, SPOILING)
        self._pool.give_back(self._connection, is_clean=is_clean)


Db = asyncpg.Connection | Pool  # whatever runs a statement


def is_away(error: BaseException) -> bool:
    """Whether the same statement may go through later: it is not one of its values."""
    return isinstance(error, UNREACHABLE) and not isinstance(error, ValueError)


@asynccontextmanager
async def pool(url: str, size: int = 10, *, looks_up: bool = False) -> AsyncIterator[Pool]:
    """A pool of at most `size` connections, closed at the end; the first is opened at once.

    Where it only `looks_up` rows by their ids, every statement goes by indexes.
    """
    opened = Pool(url, size, BY_INDEX if looks_up else None)
    opened.give_back(await opened.take())
    try:
        yield opened
    finally:
        await opened.close()
