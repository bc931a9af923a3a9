"""Entries: let a customer enter a journey now, for a caller who waits for the answer."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Header
from pydantic import Field, JsonValue

from api.errors import Problem
from api.routes.instances import InstanceView, found, view
from api.state import Parts, State
from journeys.effects import Refusal
from journeys.event import Event, event_id
from journeys.identity import CustomerId
from journeys.model import Model
from routing.direct import enter
from routing.identify import identify
from storage import events

router = APIRouter(tags=["instances"])

REQUESTED = "Journey Requested"


class StartRequest(Model):
    """Who enters: `customer` is the user id; `properties` are what `entry` holds in the journey."""

    customer: str = Field(min_length=1, max_length=256, examples=["user-17"])
    key: str | None = Field(None, min_length=1, max_length=256, examples=["cart-4711"])
    properties: dict[str, JsonValue] = Field(default_factory=dict, examples=[{"total": 80.5}])


@router.post("/v1/journeys/{journey}/instances", status_code=201)
async def start(
    journey: str,
    body: StartRequest,
    parts: Parts,
    idempotency_key: Annotated[str | None, Header(max_length=256)] = None,
) -> InstanceView:
    """Let a customer enter a journey now, by the journey's own rules; 409 says why not.

    With an `Idempotency-Key` a repeat answers with the same instance.
    """
    await parts.registry.refresh(parts.pool)
    gate = parts.registry.gates.get(journey)
    if gate is None:
        raise Problem(404, "Not found", f"no journey is called {journey!r}: see GET /v1/journeys")
    now = parts.clock.now()
    message_id = f"start:{journey}:{idempotency_key or uuid4()}"
    event = Event(
        id=event_id(message_id),
        received_at=now,
        occurred_at=now,
        kind="track",
        name=gate.plan.journey.entry.event or REQUESTED,
        message_id=message_id,
        user_id=body.customer,
        anonymous_id=None,
        properties=dict(body.properties),
        context={},
    )
    before = await events.get(parts.pool, event.id)
    if before is None:
        await events.insert(parts.pool, [event], route=False)
    else:
        event = before[0]
    owner = await owner_of(parts, event)
    decided = await enter(parts.round, gate, event, owner, body.key)
    if isinstance(decided, Refusal):
        raise Problem(
            409,
            "Not entered",
            f"{body.customer!r} does not enter {journey!r}: {decided.reason}",
            reason=decided.reason,
            why=dict(decided.why),
        )
    return view(await found(parts, decided.id))


async def owner_of(parts: State, event: Event) -> CustomerId:
    """The customer of an event that no router will see."""
    resolved = await identify(parts.pool, [event], parts.secret, parts.clock.now())
    owner = resolved.customers.get(event.id)
    if owner is None:
        raise Problem(409, "Erased", "this customer was erased after the event occurred")
    return owner
