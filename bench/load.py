"""Drives `/v1/batch` from a few connections, with as little work of its own as can be."""

import asyncio
import time
from dataclasses import dataclass, field

from bench.traffic import Traffic


@dataclass
class Load:
    """What the connections have sent and heard."""

    deadline: float
    accepted: int = 0
    latencies: list[float] = field(default_factory=list)
    failures: list[bytes] = field(default_factory=list)


async def drive(port: int, traffic: Traffic, load: Load) -> None:
    """One connection: a batch, its answer, the next batch."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < load.deadline:
        request = traffic.request()
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        answer = await reader.readexactly(length)
        load.latencies.append(time.perf_counter() - started)
        if head.startswith(b"HTTP/1.1 200") and answer == b'{"success":true}':
            load.accepted += traffic.size
        else:
            load.failures.append(head + answer)
    writer.close()


async def run_load(port: int, key: str, seconds: float, connections: int, size: int) -> Load:
    """Load from a number of connections for some seconds."""
    load = Load(time.perf_counter() + seconds)
    drivers = [drive(port, Traffic(key, size), load) for _ in range(connections)]
    await asyncio.gather(*drivers)
    return load
