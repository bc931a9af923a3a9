"""Segment's own Python client, unchanged, against a real server on the loopback."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from segment.analytics import Client

from api.routes import tracking
from storage.pool import Pool, pool
from tests.http.tracking_app import KEY, add_key, ingest_of


@contextmanager
def served(database_url: str) -> Iterator[str]:
    """The address of a server that runs in a thread, with a loop and a pool of its own."""
    started = threading.Event()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with pool(database_url) as opened:
            app.state.ingest = ingest_of(opened)
            yield
            await app.state.ingest.bell.rest()

    class Server(uvicorn.Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup()
            started.set()

    app = FastAPI(lifespan=lifespan)
    app.include_router(tracking.router)
    server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(10)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("zipped", [False, True])
async def test_segments_python_client_delivers_everything_once(
    database_url: str, db: Pool, zipped: bool
) -> None:
    await add_key(db)
    failures: list[object] = []

    def deliver(host: str) -> None:
        client = Client(
            KEY, host=host, gzip=zipped, on_error=lambda error, _: failures.append(error),
            upload_interval=0.05,
        )  # fmt: skip
        client.identify("u1", {"email": "ada@example.com"})
        for number in range(150):
            client.track(f"u{number}", "Order Completed", {"total": number})
        client.alias("old", "u1")
        client.group("u1", "g1", {"plan": "pro"})
        client.page("u1", "docs", "home")
        client.screen("u1", "app", "basket")
        client.flush()
        client.shutdown()

    with served(database_url) as host:
        await asyncio.to_thread(deliver, host)

    assert failures == []
    rows = await db.fetch("SELECT kind, count(*) AS n FROM events GROUP BY kind")
    assert {row["kind"]: row["n"] for row in rows} == {
        "track": 150, "identify": 1, "alias": 1, "group": 1, "page": 1, "screen": 1,
    }  # fmt: skip


async def test_segments_python_client_is_told_of_a_bad_key(database_url: str, db: Pool) -> None:
    failures: list[Exception] = []

    def deliver(host: str) -> None:
        client = Client(
            "nobody", host=host, on_error=lambda error, _: failures.append(error), max_retries=0
        )
        client.track("u1", "Order Completed")
        client.flush()
        client.shutdown()

    with served(database_url) as host:
        await asyncio.to_thread(deliver, host)

    assert "unauthorized" in str(failures[0])
