"""A whole system for live tests: a database, Temporal, a mailbox, and a worker in this process."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import orjson

from embedded.mailbox import Mailbox
from journeys.event import Event, event_id
from settings import Settings
from storage import events, installation, journeys
from storage.notify import Bell
from storage.pool import pool as open_pool
from worker import wired

TEMPLATE = {
    "name": "hello",
    "channel": "email",
    "parts": {"subject": "Hello", "text": "Hello {{ customer.first_name | default: 'there' }}."},
}


@dataclass
class System:
    """What a live test works with."""

    pool: asyncpg.Pool
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


def event(
    name: str, user: str, at: datetime | None = None, message_id: str | None = None,
    kind: Any = "track", anonymous: str | None = None, **properties: Any,
) -> Event:
    """An event that was just received."""
    now = datetime.now(UTC)
    message_id = message_id or uuid4().hex
    return Event(
        id=event_id(message_id), received_at=now, occurred_at=at or now, kind=kind, name=name,
        message_id=message_id, user_id=user, anonymous_id=anonymous, properties=properties,
        context={},
    )


@asynccontextmanager
async def system(
    database_url: str, temporal: str, **settings: Any
) -> AsyncIterator[System]:
    """A running system without HTTP; a namespace is shared, so journeys need names of their own."""
    async with AsyncExitStack() as stack:
        mailbox = Mailbox(None, "127.0.0.1", 0)
        await mailbox.start()
        stack.push_async_callback(mailbox.stop)
        pool = await stack.enter_async_context(open_pool(database_url))
        await installation.ensure(pool, datetime.now(UTC))
        chosen = Settings.model_validate(
            {"database_url": database_url, "temporal_address": temporal,
             "smtp_url": f"smtp://127.0.0.1:{mailbox.port}", **settings}
        )
        yield System(pool, chosen, mailbox)


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker in this process."""
    async with wired(settings) as parts, AsyncExitStack() as stack:
        for one in parts.workers:
            await stack.enter_async_context(one)
        tasks = [asyncio.create_task(one) for one in (
            parts.router.run(), parts.housekeeping.run(), parts.attempts.renew_leases())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
