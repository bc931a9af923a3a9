"""Opens connections to Postgres that read and write `jsonb` as Python values."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg
import orjson


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


async def connect(url: str, settings: Mapping[str, str] | None = None) -> asyncpg.Connection:
    """One connection: a pool's, or outside any for advisory locks and LISTEN."""
    connection = await asyncpg.connect(url, server_settings=dict(settings or {}))
    await prepare(connection)
    return connection
