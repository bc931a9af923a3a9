"""How many statements a journey costs, counted in Postgres's own log."""

import asyncio
import time

import asyncpg

from bench.line import Line
from bench.servers import Servers
from bench.signups import post


async def statements_each(
    connection: asyncpg.Connection, port: int, servers: Servers, first: int
) -> float:
    """Statements a journey when journeys come one at a time, counted in Postgres's own log."""
    async with Line.open(port) as line:
        before = await noted(connection, servers, 3.0, line, [])
        after = await noted(connection, servers, 3.0, line, [first + n for n in range(20)])
    return (after - before) / 20


async def noted(
    connection: asyncpg.Connection,
    servers: Servers,
    seconds: float,
    line: Line,
    numbers: list[int],
) -> int:
    """How many statements Postgres logged during some seconds with these events in them."""
    server_log = servers.postgres.path / "server.log"
    await connection.execute("ALTER SYSTEM SET log_statement = 'all'")
    await connection.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.2)
    start = server_log.stat().st_size
    until = time.perf_counter() + seconds
    for number in numbers:
        await post(line, number)
        await asyncio.sleep(0.12)
    await asyncio.sleep(max(0.0, until - time.perf_counter()))
    with server_log.open("rb") as log:
        log.seek(start)
        lines = log.read().splitlines()
    await connection.execute("ALTER SYSTEM RESET log_statement")
    await connection.execute("SELECT pg_reload_conf()")
    return sum(b"LOG:  execute" in line or b"LOG:  statement" in line for line in lines)
