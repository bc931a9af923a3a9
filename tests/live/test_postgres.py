"""The embedded Postgres: adopted while it runs, recovered when it was killed, wherever it lives."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from embedded.postgres import Postgres


@pytest.fixture(params=["short", "a-name-that-is-too-long-for-a-socket-path-" * 3])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Postgres]:
    postgres = Postgres(folder / request.param / "data")
    postgres.start()
    yield postgres
    postgres.stop()


async def setting(server: Postgres, name: str) -> str:
    connection = await asyncpg.connect(server.url)
    try:
        return str(await connection.fetchval("SELECT current_setting($1)", name))
    finally:
        await connection.close()


def pid(server: Postgres) -> int:
    process = server.postmaster()
    assert process is not None
    return process.pid


async def test_running_server_is_adopted(server: Postgres) -> None:
    before = pid(server)

    again = Postgres(server.path)
    again.start()

    assert pid(again) == before
    assert await setting(again, "synchronous_commit") == "on"


async def test_killed_server_is_started_again(server: Postgres) -> None:
    before = server.postmaster()
    assert before is not None
    before.kill()

    server.start()

    assert pid(server) != before.pid
    assert await setting(server, "fsync") == "on"


async def test_pid_file_of_another_process_is_stale(server: Postgres) -> None:
    server.stop()
    (server.path / "postmaster.pid").write_text(f"1\n{server.path}\n1\n5432\n/tmp\n\n1 1\nready\n")

    server.start()

    assert pid(server) != 1


async def test_it_listens_on_a_private_socket_only(server: Postgres) -> None:
    assert await setting(server, "listen_addresses") == ""
    assert server.sockets.stat().st_mode & 0o077 == 0
    assert len(str(server.sockets / ".s.PGSQL.5432")) < 100


async def test_half_made_data_is_made_anew(folder: Path) -> None:
    half = folder / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    server = Postgres(folder / "data", durable=False)

    server.start()

    assert await setting(server, "fsync") == "off"
    server.stop()
    assert server.postmaster() is None
