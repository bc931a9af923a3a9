"""Customers who sign up: made known beforehand, then posted over HTTP until every mail has come."""

import asyncio
from collections.abc import Iterable
from uuid import uuid4

import asyncpg

from bench.line import Line
from bench.servers import Servers


async def known_customers(port: int, count: int, servers: Servers) -> None:
    """Customers who are known when their journeys begin."""
    async with Line.open(port) as line:
        for start in range(0, count, 200):
            batch = [
                {"type": "identify", "messageId": f"identify-{number}", "userId": f"user-{number}",
                 "traits": {"email": f"user-{number}@customers.example", "first_name": "Ada"}}
                for number in range(start, min(start + 200, count))
            ]  # fmt: skip
            await line.post("/v1/batch", {"batch": batch})
    await drained(servers)


async def drained(servers: Servers) -> None:
    """Return once every event is routed."""
    connection = await asyncpg.connect(servers.postgres.url)
    async with asyncio.timeout(120):
        while await connection.fetchval("SELECT count(*) FROM inbox"):
            await asyncio.sleep(0.1)
    await connection.close()


async def post(line: Line, number: int) -> None:
    """One customer signs up."""
    await line.post("/v1/track", {
        "messageId": uuid4().hex, "userId": f"user-{number}", "event": "Signed Up",
        "properties": {"plan": "pro", "seats": 3},
    })  # fmt: skip


async def posted(port: int, servers: Servers, numbers: Iterable[int], at_once: int) -> None:
    """Post an event for each, at most `at_once` journeys in flight, until every mail has come."""
    wanted, sent = list(numbers), 0
    before = servers.mailbox.count
    left = iter(wanted)

    async def lane() -> None:
        nonlocal sent
        async with Line.open(port) as line:
            for number in left:
                while sent - (servers.mailbox.count - before) >= at_once:
                    await asyncio.sleep(0.002)
                sent += 1
                await post(line, number)

    await asyncio.gather(*(lane() for _ in range(8)))
    async with asyncio.timeout(120):
        while servers.mailbox.count - before < len(wanted):
            await asyncio.sleep(0.005)
