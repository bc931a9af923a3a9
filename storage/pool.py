"""Opens connections to Postgres with the codecs the rest of `storage` expects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

Db = asyncpg.Connection | PoolConnectionProxy | asyncpg.Pool  # whatever runs a statement


def plain(value: object) -> str:
    """What orjson does not know: asyncpg has a UUID of its own."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


async def prepare(connection: asyncpg.Connection) -> None:
    """Read and write `jsonb` as Python values."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: orjson.dumps(value, default=plain).decode(),
        decoder=orjson.loads,
    )


async def connect(url: str) -> asyncpg.Connection:
    """One connection outside any pool: for advisory locks and LISTEN."""
    connection = await asyncpg.connect(url)
    await prepare(connection)
    return connection


class Pooled(asyncpg.Connection):
    """A connection that is given back as it is: nobody leaves settings, locks or listeners on it.

    Resetting it costs a round trip and a statement for every statement that is run.
    """

    def get_reset_query(self) -> str:
        """Nothing."""
        return ""


# For statements that look up a handful of rows by their ids. A plan that is made while a table is
# empty, or before it is analyzed, reads all of it, and is kept while it grows.
BY_INDEX = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}


@asynccontextmanager
async def pool(url: str, size: int = 10, *, looks_up: bool = False) -> AsyncIterator[asyncpg.Pool]:
    """A pool of at most `size` connections, closed at the end.

    Where it only `looks_up` rows by their ids, every statement goes by indexes.
    """
    async with asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=prepare,
        connection_class=Pooled,
        server_settings=BY_INDEX if looks_up else {},
    ) as opened:
        yield opened
