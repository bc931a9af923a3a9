"""Asks the API for the state of customers at a fixed rate, with little work of its own."""

import asyncio
import json
import random
import time
from collections.abc import Callable

BROWSER = "browser_for_the_bench"
LANES = 4

Request = Callable[[str], bytes]


def asks(path: str) -> Request:
    """GET of the audiences of a customer, POST of an OFREP evaluation, or GET of nothing at all."""
    if path == "nothing":
        return lambda user: b"GET /health/live HTTP/1.1\r\nHost: bench\r\n\r\n"
    if path == "audiences":
        return lambda user: (
            f"GET /v1/customers/{user}/audiences HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {BROWSER}\r\n\r\n"
        ).encode()

    def evaluation(user: str) -> bytes:
        body = json.dumps({"context": {"targetingKey": user}})
        return (
            f"POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {BROWSER}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    return evaluation


async def ask(port: int, request: Request, count: int, seconds: float, rate: float) -> list[float]:
    """Latencies of requests at a fixed rate over a few connections, sorted."""
    latencies: list[float] = []
    chance, started = random.Random(2), time.perf_counter()

    async def lane(place: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due = started + place / rate
        while due < started + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(request(f"customer-{chance.randrange(count)}"))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
            latencies.append(time.perf_counter() - due)
            if not head.startswith(b"HTTP/1.1 200"):
                raise AssertionError(head)
            due += LANES / rate
        writer.close()

    await asyncio.gather(*(lane(place) for place in range(LANES)))
    return sorted(latencies)
