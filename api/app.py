"""The HTTP application: opens what routes need, and puts them together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import Lifespan

from api import errors
from api.auth import admin
from api.routes import (
    audience_questions,
    audiences,
    browser,
    business_events,
    customers,
    entries,
    health,
    imports,
    injections,
    instances,
    journeys,
    keys,
    members,
    memberships,
    messages,
    ofrep,
    runs,
    shared_attributes,
    streams,
    subscriptions,
    tokens,
    tracking,
)
from api.streams import Streams
from api.tracking.ingest import Ingest
from routing.registry import Registry
from routing.round import Round
from settings import Settings, SettingsError
from storage import installation
from storage.installation import Installation
from storage.keys import Keys
from storage.pool import Pool
from storage.pool import pool as open_pool
from wiring import temporal_address
from workflows.client import Engine
from workflows.connect import connect
from workflows.converter import CLIENT_CONVERTER

POOL = 20
ADMIN = (
    journeys, entries, instances, injections, customers, messages, audiences,
    audience_questions, members, imports, keys, shared_attributes, subscriptions, runs,
    business_events, tokens,
)  # fmt: skip
DESCRIPTION = """
Customer journeys on Temporal: events come in on the tracking routes (with a **write key**),
what is marked shared is read with a **browser key**, everything else is done with an **admin key**.
"""

WRITE_KEYS = {
    "writeKey": {"type": "http", "scheme": "basic", "description": "a write key as the user"},
    "writeKeyHeader": {"type": "apiKey", "in": "header", "name": "X-Write-Key"},
}


def create_app(settings: Settings) -> FastAPI:
    """The application; it opens its connections when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(open_pool(str(settings.database_url), POOL))
            found = await installation.get(pool)
            if found is None:
                raise SettingsError("the database is not prepared: run `parcours migrate`")
            client = await connect(temporal_address(settings), CLIENT_CONVERTER, lazy=True)
            put(app, pool, found, Engine(client), settings.late_event_limit)
            yield
            await app.state.ingest.bell.rest()

    return assembled(lifespan)


def put(app: FastAPI, pool: Pool, found: Installation, engine: Engine, late: timedelta) -> None:
    """Give the application what its routes work with."""
    state = app.state
    state.pool, state.clock, state.secret = pool, found.clock, found.secret
    state.engine = engine
    state.keys = Keys(pool)
    state.streams = Streams(pool)
    state.registry = Registry()
    state.ingest = Ingest(pool, found.clock, state.keys)
    state.round = Round(pool, state.registry, engine, found.clock, found.secret, late)


def assembled(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """All routes and errors; the busiest routes first, since they are tried in order."""
    app = FastAPI(title="Parcours", version="0.1.0", description=DESCRIPTION, lifespan=lifespan)
    errors.install(app)
    app.include_router(tracking.router)
    app.include_router(health.router)
    for shared in (memberships, ofrep, streams, browser):
        app.include_router(shared.router)
    for routes in ADMIN:
        app.include_router(routes.router, dependencies=[Depends(admin)])
    app.openapi = partial(described, app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the write keys that the tracking routes read by themselves."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        document.setdefault("components", {}).setdefault("securitySchemes", {}).update(WRITE_KEYS)
        app.openapi_schema = document
    return app.openapi_schema
