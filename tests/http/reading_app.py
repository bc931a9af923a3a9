"""An application with the reading and publishing routes, and rows to read, for tests over HTTP."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import Depends, FastAPI
from temporalio.service import RPCError, RPCStatusCode

from api import errors
from api.auth import admin
from api.routes import business_events, customers, imports, journeys, members, messages, runs
from api.tracking.ingest import Ingest
from clock import Clock
from journeys.event import Event, event_id
from journeys.identity import CustomerId, ExternalId
from routing.registry import Registry
from routing.round import Round
from storage import attempts, events, external_ids, instances, keys, trail
from storage import customers as people
from storage.attempts import Settle
from storage.customers import Written
from storage.messages import MessageState
from storage.pool import Pool
from storage.trail import Refused, Visit
from workflows.run import RunStart

NOW = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)
KEY = "admin_for_tests"
SECRET = b"secret"
CART: dict[str, Any] = {
    "journey": "cart",
    "entry": {"event": "Checkout Started", "when": "event.total > 20.0"},
    "exits": [{"event": "Order Completed"}],
    "goal": {"event": "Order Completed", "within": "14d"},
    "steps": [
        {"id": "settle", "kind": "wait", "duration": "45m"},
        {"id": "reminder", "kind": "send", "channel": "email", "template": "reminder"},
        {
            "id": "reaction",
            "kind": "wait_for",
            "timeout": "1d",
            "events": {"clicked": {"event": "Message Clicked", "of": "reminder"}},
        },
    ],
}
TEMPLATES = {"reminder": {"parts": {"subject": "Your cart", "text": "It waits."}}}


@dataclass
class FakeEngine:
    """Writes down what Temporal would be asked."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False
    forgotten: set[str] = field(default_factory=set)

    async def begin(self, workflow_id: str, start: RunStart) -> None:
        """Begin a run."""
        if self.is_away:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        self.calls.append(("begin", workflow_id))

    async def terminate(self, workflow_id: str, reason: str) -> None:
        """End a workflow."""
        if self.is_away:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
        self.calls.append(("terminate", workflow_id))

    async def delete(self, workflow_id: str) -> None:
        """Delete a workflow's history."""
        self.calls.append(("delete", workflow_id))
        if workflow_id in self.forgotten:
            raise RPCError("gone", RPCStatusCode.NOT_FOUND, b"")


@asynccontextmanager
async def client_of(
    pool: Pool, engine: FakeEngine | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin key."""
    await keys.add(pool, "admin", "tests", KEY, NOW)
    app = FastAPI()
    errors.install(app)
    for routes in (journeys, runs, business_events, customers, messages, imports, members):
        app.include_router(routes.router, dependencies=[Depends(admin)])
    state = app.state
    state.pool, state.clock, state.secret = pool, Clock(), SECRET
    state.keys, state.registry, state.engine = keys.Keys(pool), Registry(), engine or FakeEngine()
    state.ingest = Ingest(pool, state.clock, state.keys)
    state.round = Round(pool, state.registry, state.engine, state.clock, SECRET, timedelta(hours=1))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers=headers
    ) as client:
        yield client
    await state.ingest.bell.rest()


async def publish(client: httpx.AsyncClient, definition: Mapping[str, Any] = CART) -> None:
    """Publish a journey."""
    body = {"definition": definition, "templates": TEMPLATES}
    response = await client.put(f"/v1/journeys/{definition['journey']}", json=body)
    assert response.status_code == 201, response.text


@dataclass
class Story:
    """Builds one customer's rows through storage, as routing and activities do."""

    pool: Pool
    user: str = "ada"
    customer: CustomerId = field(default_factory=lambda: CustomerId(uuid4()))
    told: int = 0

    async def begin(self) -> "Story":
        """The customer exists."""
        await people.create(self.pool, [self.customer], NOW)
        await external_ids.link(self.pool, {ExternalId("user_id", self.user): self.customer}, NOW)
        mail = f"{self.user}@example.com"
        await people.write(self.pool, [Written(self.customer, {"email": mail}, {"email": 0.0})])
        return self

    async def event(self, name: str, after: timedelta = timedelta(0), **properties: object) -> UUID:
        """An event that was routed."""
        self.told += 1
        message_id = f"{self.user}-{self.told}"
        event = Event(
            id=event_id(message_id),
            received_at=NOW + after,
            occurred_at=NOW + after,
            kind="track",
            name=name,
            message_id=message_id,
            user_id=self.user,
            anonymous_id=None,
            properties=properties,
            context={},
        )
        await events.insert(self.pool, [event], route=False)
        await people.locked(self.pool, [self.customer], [(event, self.customer)])
        return event.id

    async def enter(self, entry_event: UUID) -> UUID:
        """An instance of `cart` that stands at its first step."""
        id = uuid4()
        await instances.register(
            self.pool,
            [
                {
                    "id": id,
                    "journey": "cart",
                    "version": 1,
                    "customer": self.customer,
                    "key": None,
                    "workflow_id": f"cart/{self.customer}",
                    "entry_event": entry_event,
                    "entry": {"total": 80.5},
                    "entered_at": NOW,
                    "position": "settle",
                    "goal_until": NOW + timedelta(days=14),
                    "why": {
                        "condition": "event.total > 20.0",
                        "holds": True,
                        "values": {"event.total": 80.5},
                    },
                }
            ],
        )
        return id

    async def wait_and_send(self, instance: UUID, state: MessageState = "accepted") -> None:
        """It waited 45 minutes, sent its message (or not), and listens for a click."""
        at = NOW + timedelta(minutes=45)
        exit = "sent" if state == "accepted" else "not_sent"
        reason = None if state == "accepted" else "no_address"
        visit = partial(Visit, instance, NOW)
        await attempts.settle(
            self.pool,
            [
                Settle(
                    id=uuid4(),
                    instance=instance,
                    step="reminder",
                    visit=2,
                    channel="email",
                    class_="marketing",
                    topic=None,
                    guarantee="at_most_once",
                    state=state,
                    at=at,
                    reason=reason,
                )
            ],
            [
                visit(1, "settle", at=NOW, left_at=at, exit="waited", position="reminder"),
                visit(
                    2,
                    "reminder",
                    at=at,
                    left_at=at,
                    exit=exit,
                    result={"state": state},
                    why={"reason": reason} if reason else None,
                    position="reaction",
                ),
                visit(3, "reaction", at=at, position="reaction", wait_until=at + timedelta(days=1)),
            ],
        )

    async def refuse(self, event: UUID, total: float) -> None:
        """The event did not enter `cart`."""
        why = {"condition": "event.total > 20.0", "holds": False, "values": {"event.total": total}}
        await trail.refuse(
            self.pool, [Refused(NOW, event, "cart", self.customer, "condition", why)]
        )
