"""An API process for measurements, with the tracking routes and nothing else."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from fastapi import FastAPI

from api.routes import tracking
from api.tracking.ingest import Ingest
from clock import Clock
from storage.keys import Keys
from storage.pool import pool

DATABASE = "BENCH_DATABASE_URL"
ROOT = Path(__file__).parent.parent


def app() -> FastAPI:
    """What uvicorn serves."""

    @asynccontextmanager
    async def lifespan(made: FastAPI) -> AsyncIterator[None]:
        async with pool(os.environ[DATABASE]) as opened:
            made.state.ingest = Ingest(opened, Clock(), Keys(opened))
            yield

    made = FastAPI(lifespan=lifespan)
    made.include_router(tracking.router)
    return made


@asynccontextmanager
async def served(url: str) -> AsyncIterator[tuple[psutil.Process, int]]:
    """An API process on a free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "bench.api:app", "--factory", "--port", str(port),
        *options, cwd=ROOT, env={**os.environ, DATABASE: url},
    )  # fmt: skip
    try:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        await process.wait()
