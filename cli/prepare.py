"""Brings a database to where processes can serve: migrations, the installation's row, its keys."""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from pydantic import SecretStr

from cli.errors import CommandError, WrongClockError
from clock import Clock
from settings import Settings
from storage import installation, keys, migrate
from storage.connection import connect
from storage.installation import Installation
from storage.keys import KeyKind


@dataclass(frozen=True)
class Prepared:
    """A database that is ready, and the keys that were made for it just now."""

    installation: Installation
    made: dict[KeyKind, str]


async def prepare(url: str, settings: Settings, clock: Clock | None = None) -> Prepared:
    """Make everything that the database lacks; nothing that is there is changed."""
    try:
        connection = await connect(url)
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"the database does not let us in: {error}") from error
    try:
        await migrate.apply(connection)
        now = datetime.now(UTC)
        found = await agree_on_clock(connection, now, clock)
        await migrate.extend_partitions(connection, found.clock.at(now))
        return Prepared(found, await ensure_keys(connection, settings, now))
    finally:
        await connection.close()


async def ensure_keys(
    connection: asyncpg.Connection, settings: Settings, now: datetime
) -> dict[KeyKind, str]:
    """Let the keys in that are set; make one of each other kind that has none, and return those."""
    wanted: dict[KeyKind, SecretStr | None] = {
        "write": settings.write_key,
        "admin": settings.admin_key,
    }
    there = {kind for kind, _ in await keys.hashes(connection)}
    made: dict[KeyKind, str] = {}
    for kind, given in wanted.items():
        if given is not None:
            await keys.add(connection, kind, "setting", given.get_secret_value(), now)
        elif kind not in there:
            made[kind] = keys.new_secret(kind)
            await keys.add(connection, kind, "first start", made[kind], now)
    return made


async def agree_on_clock(
    connection: asyncpg.Connection, now: datetime, clock: Clock | None
) -> Installation:
    """The installation, unless it lives in made-up time and we do not, or the reverse."""
    found = await installation.get(connection)
    if found is None:
        await installation.ensure(connection, now)
        if clock is not None:
            await installation.set_clock(connection, clock)
        return await installation.ensure(connection, now)
    if found.is_accelerated and clock is None:
        raise WrongClockError(
            "this database was made by a demo or a test: its clock is accelerated. Use another "
            "one, by PARCOURS_DATA_DIR or PARCOURS_DATABASE_URL"
        )
    if clock is not None and not found.is_accelerated:
        raise WrongClockError(
            "this database lives in real time: a demo's accelerated clock would spoil it. "
            "Use another one, by PARCOURS_DATA_DIR or PARCOURS_DATABASE_URL"
        )
    return found
