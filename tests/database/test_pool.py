"""Connections are lent in turn, given back clean, and opened anew when they are lost."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from storage.pool import Pool, pool


async def pid(lent: asyncpg.Connection) -> int:
    """The server process behind a connection."""
    return int(await lent.fetchval("SELECT pg_backend_pid()"))


async def test_no_more_than_its_size_are_open_and_who_waits_is_served_in_turn(
    database_url: str,
) -> None:
    served: list[int] = []

    async def work(number: int, at: Pool) -> int:
        async with at.acquire() as lent:
            served.append(number)
            await lent.execute("SELECT pg_sleep(0.005)")
            return await pid(lent)

    async with pool(database_url, 3) as opened:
        await asyncio.gather(*(work(number, opened) for number in range(3)))
        served.clear()
        pids = await asyncio.gather(*(work(number, opened) for number in range(30)))

    assert len(set(pids)) == 3
    assert served == list(range(30))


async def test_a_connection_that_was_killed_is_replaced(database_url: str, db: Pool) -> None:
    async with pool(database_url, 1) as opened:
        before = await opened.fetchval("SELECT pg_backend_pid()")
        await db.execute("SELECT pg_terminate_backend($1)", before)
        with suppress(asyncpg.PostgresError, asyncpg.InternalClientError, OSError):
            await opened.fetchval("SELECT 1")
        after = await opened.fetchval("SELECT pg_backend_pid()")

    assert after != before


async def test_a_value_that_cannot_be_sent_costs_no_connection(database_url: str) -> None:
    async with pool(database_url, 1) as opened:
        before = await opened.fetchval("SELECT pg_backend_pid()")
        with pytest.raises(asyncpg.DataError, match="invalid input"):
            await opened.fetchval("SELECT $1::int", "many")
        assert await opened.fetchval("SELECT pg_backend_pid()") == before


async def test_a_transaction_that_was_left_open_is_not_lent_on(database_url: str) -> None:
    async with pool(database_url, 1) as opened:
        async with opened.acquire() as lent:
            await lent.execute("BEGIN")
            before = await pid(lent)
        async with opened.acquire() as lent:
            assert not lent.is_in_transaction()
            assert await pid(lent) != before


async def test_who_is_cancelled_leaves_nothing_behind_and_holds_up_nobody(
    database_url: str,
) -> None:
    async with pool(database_url, 1) as opened:
        at_work = asyncio.create_task(opened.execute("SELECT pg_sleep(30)"))
        waits = asyncio.create_task(opened.fetchval("SELECT 1"))
        behind = asyncio.create_task(opened.fetchval("SELECT 2"))
        await asyncio.sleep(0.05)
        waits.cancel()
        at_work.cancel()
        assert await asyncio.wait_for(behind, 5) == 2
        assert at_work.cancelled()
        assert waits.cancelled()


async def test_who_is_cancelled_when_it_is_its_turn_passes_it_on(database_url: str) -> None:
    async with pool(database_url, 1) as opened:
        async with opened.acquire():
            first = asyncio.create_task(opened.fetchval("SELECT 1"))
            second = asyncio.create_task(opened.fetchval("SELECT 2"))
            await asyncio.sleep(0)
        first.cancel()
        assert await asyncio.wait_for(second, 5) == 2


async def test_the_end_waits_for_what_is_in_use_and_lends_no_more(database_url: str) -> None:
    async with pool(database_url, 2) as opened:
        at_work = asyncio.create_task(opened.fetchval("SELECT 3 FROM pg_sleep(0.1)"))
        await asyncio.sleep(0.02)

    assert await at_work == 3
    with pytest.raises(asyncpg.InterfaceError, match="closed"):
        await opened.fetchval("SELECT 1")


async def test_a_server_that_is_away_is_an_error_and_not_a_connection(tmp_path: object) -> None:
    away = Pool(f"postgresql://nobody@/none?host={tmp_path}", 1)

    for _ in range(3):
        with pytest.raises(OSError, match="No such file"):
            await away.fetchval("SELECT 1")
    await away.close()
