"""Events about the business: one of them enters everybody who qualifies."""

from datetime import datetime
from uuid import UUID

import asyncpg
import orjson
from fastapi import APIRouter
from pydantic import AwareDatetime, Field, JsonValue

from api.errors import Problem
from api.routes.runs import start
from api.state import Parts, State
from journeys.event import event_id
from journeys.model import Model
from routing.occasions import by_event
from storage import business_events, runs
from storage.runs import Run

router = APIRouter(tags=["runs"])

LARGEST = 64 * 1024  # bytes of properties


class BusinessEvent(Model):
    """What happened: a product is back in stock. It counts once per `messageId`."""

    name: str = Field(min_length=1, max_length=200, examples=["Back In Stock"])
    message_id: str = Field(
        alias="messageId", min_length=1, max_length=256, examples=["stock-4711-2026-11-24"]
    )
    properties: dict[str, JsonValue] = Field(
        default_factory=dict, examples=[{"sku": "4711", "price": 25.5}]
    )
    timestamp: AwareDatetime | None = Field(None, description="when it occurred; now, unless given")


class Begun(Model):
    """A run that the event began."""

    journey: str = Field(examples=["back-in-stock"])
    run: UUID


class NotBegun(Model):
    """A journey that the event would have entered."""

    journey: str
    state: str = Field(examples=["paused"])


class BusinessAnswer(Model):
    """What the event began; a repeat is answered with what it began the first time."""

    event: UUID
    is_new: bool
    runs: tuple[Begun, ...]
    not_begun: tuple[NotBegun, ...] = Field((), description="journeys that take no entries")


@router.post("/v1/business-events", status_code=202, summary="Something about the business")
async def post(body: BusinessEvent, parts: Parts) -> BusinessAnswer:
    """Begin a run of every journey that such an event enters.

    It comes to the journey's audience, or to all customers, and those for whom its `when` holds
    enter with the event's properties as `entry`.
    """
    if len(orjson.dumps(body.properties)) > LARGEST:
        raise Problem(413, "Too large", f"properties may have {LARGEST // 1024} KB")
    await parts.registry.refresh(parts.pool)
    id, now = event_id(f"business:{body.message_id}"), parts.clock.now()
    async with parts.pool.acquire() as connection, connection.transaction():
        is_new = await business_events.insert(
            connection, id, body.name, body.message_id, body.timestamp or now, now, body.properties
        )
        made = await begin(connection, parts, body, id, now) if is_new else []
    if not is_new:
        made = await runs.of_event(parts.pool, id)
    for run in made:
        if run.started_at is None:
            await start(parts, run)
    return BusinessAnswer(
        event=id,
        is_new=is_new,
        runs=tuple(Begun(journey=run.journey, run=run.id) for run in made),
        not_begun=tuple(
            NotBegun(journey=gate.plan.name, state="closed" if gate.closed else "paused")
            for gate in parts.registry.gates.values()
            if gate.plan.journey.entry.business_event == body.name and (gate.closed or gate.paused)
        ),
    )


async def begin(
    connection: asyncpg.Connection,
    parts: State,
    body: BusinessEvent,
    id: UUID,
    now: datetime,
) -> list[Run]:
    """The runs of the journeys that take entries."""
    plans = [
        gate.plan
        for gate in parts.registry.gates.values()
        if gate.plan.journey.entry.business_event == body.name
        and not gate.closed
        and not gate.paused
    ]
    plans.sort(key=lambda plan: plan.name)  # every transaction locks in one order
    return [await by_event(connection, id, plan, now, dict(body.properties)) for plan in plans]
