"""The whole application on a test's database, with keys of each kind and people to ask about."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI

from api.__main__ import Server
from api.app import assembled, put
from audiences.definition import AUDIENCE
from journeys.identity import CustomerId, ExternalId, IdKind
from storage import audiences, customers, external_ids, installation, keys, members
from storage.customers import Written
from storage.members import Change
from storage.pool import Db, Pool
from tests.http.reading_app import FakeEngine
from workflows.client import Engine

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ADMIN, BROWSER, WRITE = "admin_for_tests", "browser_for_tests", "write_for_tests"


async def app_of(pool: Pool) -> FastAPI:
    """The application, with one key of each kind."""
    found = await installation.ensure(pool, NOW)
    await keys.add(pool, "admin", "tests", ADMIN, NOW)
    await keys.add(pool, "browser", "tests", BROWSER, NOW)
    await keys.add(pool, "write", "tests", WRITE, NOW)
    app = assembled()
    put(app, pool, found, cast("Engine", FakeEngine()), timedelta(days=1))
    return app


@asynccontextmanager
async def client_of(pool: Pool, key: str = ADMIN) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application with this key."""
    transport = httpx.ASGITransport(app=await app_of(pool), raise_app_exceptions=True)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


@asynccontextmanager
async def served(pool: Pool) -> AsyncIterator[str]:
    """The address of the application, served over real HTTP in this process."""
    config = uvicorn.Config(await app_of(pool), log_config=None, lifespan="off")
    config.timeout_graceful_shutdown = 10
    server = Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


async def publish(pool: Pool, name: str, *, shared: bool, **more: Any) -> None:
    """An audience whose members are put in by hand."""
    given = more or {"kind": "list"}
    audience = AUDIENCE.validate_python({"audience": name, "shared": shared, **given})
    await audiences.publish(pool, audience, uuid4().hex, NOW)


async def person(pool: Pool, user: str, kind: IdKind = "user_id", **attributes: Any) -> CustomerId:
    """A customer with one external id and these attributes."""
    customer = CustomerId(uuid4())
    await customers.create(pool, [customer], NOW)
    await external_ids.link(pool, {ExternalId(kind, user): customer}, NOW)
    if attributes:
        await customers.write(pool, [Written(customer, attributes, dict.fromkeys(attributes, 0.0))])
    return customer


async def join(pool: Db, customer: CustomerId, *names: str, at: datetime = NOW) -> None:
    """The customer is in these audiences from now on."""
    why = {"condition": "true"}
    await members.change(pool, [Change(name, customer, True, at, why) for name in names])


async def leave(pool: Db, customer: CustomerId, *names: str, at: datetime = NOW) -> None:
    """The customer is in these audiences no more."""
    await members.change(pool, [Change(name, customer, False, at) for name in names])


def context(key: object) -> Mapping[str, Any]:
    """The body of an OFREP request."""
    return {"context": {"targetingKey": key}}
