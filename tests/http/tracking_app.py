"""The smallest application that has the tracking routes, for tests over HTTP."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from fastapi import FastAPI

from api.routes import browser, tracking
from api.tracking.ingest import Ingest
from clock import Clock
from storage import keys
from storage.pool import Pool

KEY = "write_for_tests"
BASIC = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
AUTHORIZED = {"Authorization": BASIC}


def ingest_of(pool: Pool) -> Ingest:
    """What one API process has for its events."""
    return Ingest(pool, Clock(), keys.Keys(pool))


async def add_key(pool: Pool) -> None:
    """Make the test key known."""
    async with pool.acquire() as connection:
        await keys.add(connection, "write", "tests", KEY, datetime.now(UTC))


def make_app(pool: Pool) -> FastAPI:
    """An application on this pool."""
    app = FastAPI()
    app.include_router(tracking.router)
    app.include_router(browser.router)
    app.state.ingest = ingest_of(pool)
    return app


@asynccontextmanager
async def client_of(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    """A client of such an application, with the test key known to the database."""
    await add_key(pool)
    app = make_app(pool)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    await app.state.ingest.bell.rest()
