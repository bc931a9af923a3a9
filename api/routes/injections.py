"""Injections: an event about one instance's customer, answered with what it did to the instance."""

from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from fastapi import APIRouter
from pydantic import Field, JsonValue

from api.routes.instances import found
from api.state import Parts, State
from journeys.calls import Nudge
from journeys.event import Event, event_id
from journeys.model import Model
from routing.judging import Judged, judge
from storage import external_ids
from storage.instances import Instance

router = APIRouter(tags=["instances"])


class EventRequest(Model):
    """An event about the instance's customer."""

    event: str = Field(min_length=1, max_length=200, examples=["Order Completed"])
    properties: dict[str, JsonValue] = Field(default_factory=dict)
    message_id: str | None = Field(None, min_length=1, max_length=256)
    timestamp: datetime | None = None


class EventAnswer(Model):
    """What the event did to this instance."""

    event: UUID
    effect: Literal["ended", "woke", "nothing"]
    step: str | None = None
    exit: str | None = None
    reason: str | None = None


@router.post("/v1/instances/{id}/events")
async def inject(id: UUID, body: EventRequest, parts: Parts) -> EventAnswer:
    """Store an event of the instance's customer, and say what it did to the instance."""
    row = await found(parts, id)
    now = parts.clock.now()
    named = {
        one.kind: one.value for one in await external_ids.of_customer(parts.pool, row.customer)
    }
    message_id = body.message_id or f"inject:{uuid4()}"
    event = Event(
        id=event_id(message_id),
        received_at=now,
        occurred_at=min(body.timestamp or now, now),
        kind="track",
        name=body.event,
        message_id=message_id,
        user_id=named.get("user_id"),
        anonymous_id=None if "user_id" in named else named.get("anonymous_id"),
        properties=dict(body.properties),
        context={},
    )
    await parts.ingest.accept([event])
    judged = await judge(parts.pool, parts.registry, id, event, now)
    await tell(parts, row, event, judged)
    return EventAnswer(
        event=event.id,
        effect=judged.effect,
        step=judged.step,
        exit=judged.exit,
        reason=judged.reason,
    )


async def tell(parts: State, row: Instance, event: Event, judged: Judged) -> None:
    """Signal what was decided; the router does it again, which the server drops."""
    if judged.effect == "ended":
        nudge = Nudge(id=event.id, instance=row.id, ends=True)
        await parts.engine.nudge(row.workflow_id, nudge)
    elif judged.effect == "woke":
        nudge = Nudge(id=event.id, instance=row.id, visit=judged.visit, exit=judged.exit)
        await parts.engine.nudge(row.workflow_id, nudge)
