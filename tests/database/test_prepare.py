"""A database is prepared once: migrations, one secret, keys, and a clock that all agree on."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from pydantic import SecretStr

from cli.errors import CommandError, WrongClockError
from cli.prepare import prepare
from clock import Clock
from settings import Settings
from storage import installation, keys

NOW = datetime.now(UTC)
FAST = Clock(NOW, NOW - timedelta(days=365), 20_000.0)


def settings(write_key: SecretStr | None = None) -> Settings:
    return Settings.model_construct(write_key=write_key)


async def test_second_preparation_changes_nothing(database_url: str) -> None:
    first = await prepare(database_url, settings())
    second = await prepare(database_url, settings())

    assert set(first.made) == {"write", "admin"}
    assert second.made == {}
    assert second.installation == first.installation


async def test_keys_that_are_set_are_let_in_and_not_made(
    database_url: str, connection: asyncpg.Connection
) -> None:
    given = settings(SecretStr("mine"))

    prepared = await prepare(database_url, given)

    assert set(prepared.made) == {"admin"}
    assert ("write", keys.digest("mine")) in await keys.hashes(connection)


async def test_accelerated_database_is_refused_by_real_time(database_url: str) -> None:
    await prepare(database_url, settings(), FAST)

    with pytest.raises(WrongClockError, match="made by a demo"):
        await prepare(database_url, settings())


async def test_database_in_real_time_is_refused_by_an_accelerated_clock(database_url: str) -> None:
    await prepare(database_url, settings())

    with pytest.raises(WrongClockError, match="lives in real time"):
        await prepare(database_url, settings(), FAST)


async def test_accelerated_database_keeps_the_clock_it_was_made_with(
    database_url: str, connection: asyncpg.Connection
) -> None:
    await prepare(database_url, settings(), FAST)
    later = Clock(NOW, NOW, 2.0)

    prepared = await prepare(database_url, settings(), later)

    assert prepared.installation.clock == FAST
    assert await installation.get(connection) == prepared.installation


async def test_database_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="the database does not let us in"):
        await prepare("postgresql://nobody@127.0.0.1:1/none", settings())
