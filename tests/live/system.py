"""A whole system for live tests: a database, Temporal, a mailbox, and a worker in this process."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from embedded.mailbox import Mailbox
from journeys.event import SHARDS, Event, event_id
from routing.registry import Registry
from routing.round import Round
from routing.router import Router
from settings import Settings
from storage import events, inbox, installation, journeys
from storage.notify import Bell
from storage.pool import Pool
from storage.pool import pool as open_pool
from wiring import temporal_address
from worker import Parts, wired
from workflows.client import Engine
from workflows.connect import connect
from workflows.converter import CLIENT_CONVERTER

TEMPLATE = {
    "name": "hello",
    "channel": "email",
    "parts": {"subject": "Hello", "text": "Hello {{ customer.first_name | default: 'there' }}."},
}


@dataclass
class System:
    """What a live test works with."""

    pool: Pool
    settings: Settings
    mailbox: Mailbox

    async def publish(
        self, definition: Mapping[str, Any], templates: Mapping[str, Any] | None = None
    ) -> None:
        """Publish a journey without the API."""
        given = templates if templates is not None else {"hello": TEMPLATE}
        digest = hashlib.sha256(orjson.dumps([definition, given])).hexdigest()[:16]
        await journeys.publish(
            self.pool, definition["journey"], digest, definition, given, datetime.now(UTC)
        )

    async def send(self, name: str, user: str, **properties: Any) -> Event:
        """Store an event as the API would."""
        return await self.store(event(name, user, **properties))

    async def identify(self, user: str, **traits: Any) -> Event:
        """Learn something about a customer."""
        return await self.store(event("Customer Identified", user, kind="identify", **traits))

    async def store(self, *made: Event) -> Event:
        """Store events, each once."""
        await events.insert(self.pool, made)
        Bell(self.pool).ring()
        return made[-1]

    async def until(self, query: str, *arguments: Any, within: float = 10.0) -> Any:
        """The query's value as soon as it is true."""
        async with asyncio.timeout(within):
            while not (value := await self.pool.fetchval(query, *arguments)):
                await asyncio.sleep(0.02)
        return value

    async def routed(self) -> None:
        """Return once every event that was stored is routed."""
        await self.until("SELECT NOT EXISTS (SELECT FROM inbox)")

    async def exits(self, journey: str) -> list[tuple[str, str | None]]:
        """The steps that the journey's instances have visited, and how they left them."""
        rows = await self.pool.fetch(
            """
            SELECT t.step, t.exit FROM trail t JOIN instances i ON i.id = t.instance
            WHERE i.journey = $1 ORDER BY t.entered_at, t.instance, t.visit
            """,
            journey,
        )
        return [(row["step"], row["exit"]) for row in rows]

    async def outcomes(self, journey: str) -> list[str | None]:
        """How the journey's instances have ended, in the order they began."""
        rows = await self.pool.fetch(
            "SELECT outcome FROM instances WHERE journey = $1 ORDER BY entered_at", journey
        )
        return [row["outcome"] for row in rows]

    async def client(self) -> Client:
        """A client as the API has it."""
        return await connect(temporal_address(self.settings), CLIENT_CONVERTER, lazy=False)

    async def workflow(self, journey: str) -> WorkflowHandle[Any, Any]:
        """The workflow of the journey's latest instance."""
        query = "SELECT workflow_id FROM instances WHERE journey = $1 ORDER BY entered_at DESC"
        return (await self.client()).get_workflow_handle(await self.pool.fetchval(query, journey))

    async def round(self) -> Round:
        """What a router works with, apart from the one in the worker."""
        found = await installation.get(self.pool)
        assert found is not None
        registry = Registry()
        await registry.refresh(self.pool)
        return Round(
            self.pool,
            registry,
            Engine(await self.client()),
            found.clock,
            found.secret,
            self.settings.late_event_limit,
        )

    async def route(self, round: Round | None = None) -> None:
        """Route what waits, as one turn of a router."""
        found, news = await inbox.unrouted(self.pool, range(SHARDS), datetime.now(UTC), 1000)
        router = Router(str(self.settings.database_url), round or await self.round())
        await router.route(found, news)


def event(
    name: str,
    user: str | None,
    at: datetime | None = None,
    message_id: str | None = None,
    kind: Any = "track",
    anonymous: str | None = None,
    **properties: Any,
) -> Event:
    """An event that was just received."""
    now = datetime.now(UTC)
    message_id = message_id or uuid4().hex
    return Event(
        id=event_id(message_id),
        received_at=now,
        occurred_at=at or now,
        kind=kind,
        name=name,
        message_id=message_id,
        user_id=user,
        anonymous_id=anonymous,
        properties=properties,
        context={},
    )


@asynccontextmanager
async def system(database_url: str, temporal: str, **settings: Any) -> AsyncIterator[System]:
    """A running system without HTTP; a namespace is shared, so journeys need names of their own."""
    async with AsyncExitStack() as stack:
        mailbox = Mailbox(None, "127.0.0.1", 0)
        await mailbox.start()
        stack.push_async_callback(mailbox.stop)
        pool = await stack.enter_async_context(open_pool(database_url))
        await installation.ensure(pool, datetime.now(UTC))
        chosen = Settings.model_validate({
            "database_url": database_url,
            "temporal_address": temporal,
            "smtp_url": f"smtp://127.0.0.1:{mailbox.port}",
            **settings,
        })
        yield System(pool, chosen, mailbox)


@asynccontextmanager
async def working(settings: Settings, *, routes: bool = True, **main: Any) -> AsyncIterator[Parts]:
    """A worker in this process; `main` changes how the worker of instances is made."""
    async with wired(settings) as parts, AsyncExitStack() as stack:
        if main:
            parts = await remade(settings, parts, main)
        for one in parts.workers:
            await stack.enter_async_context(one)
        jobs = parts.jobs()
        jobs += [parts.router.run()] if routes else []
        tasks = [asyncio.create_task(one) for one in jobs]
        try:
            yield parts
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def remade(settings: Settings, parts: Parts, changes: Mapping[str, Any]) -> Parts:
    """The same with the worker of instances made anew, on a client of its own.

    A client has one worker for a task queue, and starts eagerly on that one only.
    """
    first, *others = parts.workers
    client = await connect(temporal_address(settings), first.client.data_converter, lazy=False)
    round = replace(parts.router._round, engine=Engine(client))
    router = Router(str(settings.database_url), round)
    worker = Worker(**{**first.config(), "client": client, **changes})
    return replace(parts, workers=[worker, *others], router=router)
