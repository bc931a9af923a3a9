"""Fixtures shared by the tiers: a real Postgres, the embedded one or TEST_DATABASE_URL's."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from storage import migrate
from storage.connection import prepare
from storage.pool import Pool, pool


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for servers that run as another user where we are root.

    Not below pytest's own: another run of pytest closes that to other users when it starts.
    """
    with TemporaryDirectory(prefix="parcours-tests-") as made:
        yield Path(made)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a server on which tests may create databases, in a folder like `folder`."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    from embedded.postgres import Postgres

    with TemporaryDirectory(prefix="parcours-tests-") as made:
        server = Postgres(Path(made) / "data", durable=False)
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


async def administer(postgres_url: str, statement: str) -> None:
    """Run one statement on the server, over a connection of its own."""
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def template(postgres_url: str) -> AsyncIterator[str]:
    """A database with the schema, to be copied."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    await administer(postgres_url, f"CREATE DATABASE {name}")
    connection = await asyncpg.connect(with_database(postgres_url, name))
    await migrate.apply(connection)
    await migrate.extend_partitions(connection, datetime.now(UTC))
    await connection.close()
    yield name
    await administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def fresh_database(postgres_url: str, template: str) -> AsyncIterator[str]:
    """The address of a new database with the schema, dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield with_database(postgres_url, name)
    finally:
        await administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """A database of this test's own."""
    async with fresh_database(postgres_url, template) as url:
        yield url


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection to this test's database."""
    opened = await asyncpg.connect(database_url)
    await prepare(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Pool]:
    """A pool on this test's database."""
    async with pool(database_url) as opened:
        yield opened
