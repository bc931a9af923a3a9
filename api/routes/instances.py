"""Instances: start one, inject an event, look at it, cancel it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Query
from pydantic import Field, JsonValue

from api.errors import Problem
from api.state import Parts, State
from journeys.calls import Nudge
from journeys.effects import Refusal
from journeys.event import Event, event_id
from journeys.identity import CustomerId
from journeys.model import Model
from routing.direct import enter
from routing.identify import identify
from routing.judging import Judged, judge
from storage import customers, events, instances, trail
from storage.instances import Instance

router = APIRouter(tags=["instances"])

REQUESTED = "Journey Requested"
NOT_FOUND = "Not found"


class StartRequest(Model):
    """Who enters: `customer` is the user id; `properties` are what `entry` holds in the journey."""

    customer: str = Field(min_length=1, max_length=256, examples=["user-17"])
    key: str | None = Field(None, min_length=1, max_length=256, examples=["cart-4711"])
    properties: dict[str, JsonValue] = Field(default_factory=dict, examples=[{"total": 80.5}])


class VisitView(Model):
    """One visited step: when, by which exit it was left, what it gave and why."""

    visit: int
    step: str
    at: datetime
    left_at: datetime | None
    exit: str | None
    result: Mapping[str, Any] | None
    why: Mapping[str, Any] | None


class InstanceView(Model):
    """One customer's passage through one version of a journey."""

    id: UUID
    journey: str
    version: int
    customer: UUID
    key: str | None
    state: str = Field(description="`inside`, or how it ended: completed, exited, cancelled, …")
    step: str | None = Field(description="where it stands")
    waits_until: datetime | None
    entered_at: datetime
    ended_at: datetime | None
    why: Mapping[str, Any] | None = Field(description="why it entered, or was exited")
    goal_at: datetime | None
    workflow_id: str = Field(description="its workflow in Temporal")


class InstanceDetail(InstanceView):
    """The same with its trail."""

    trail: tuple[VisitView, ...]


class InstancePage(Model):
    """A page of instances; `next` is the `after` of the following one."""

    items: tuple[InstanceView, ...]
    next: UUID | None


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
        raise Problem(404, NOT_FOUND, f"no journey is called {journey!r}: see GET /v1/journeys")
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


@router.get("/v1/instances")
async def listed(
    parts: Parts,
    journey: str | None = None,
    customer: str | None = None,
    state: str | None = Query(None, description="inside, completed, exited, cancelled, …"),
    step: str | None = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> InstancePage:
    """Instances, narrowed by what is given."""
    person = None
    if customer is not None:
        known = await customers.by_external_id(parts.pool, customer)
        if known is None:
            return InstancePage(items=(), next=None)
        person = known.id
    rows = await instances.listed(parts.pool, journey, person, state, step, after, limit)
    return InstancePage(
        items=tuple(view(row) for row in rows),
        next=rows[-1].id if len(rows) == limit else None,
    )


@router.get("/v1/instances/{id}")
async def get(id: UUID, parts: Parts) -> InstanceDetail:
    """One instance with its trail."""
    row = await found(parts, id)
    visits = await trail.of_instance(parts.pool, row.entered_at, row.id)
    return InstanceDetail(
        **dict(view(row)),
        trail=tuple(
            VisitView(
                visit=one.visit,
                step=one.step,
                at=one.at,
                left_at=one.left_at,
                exit=one.exit,
                result=one.result,
                why=one.why,
            )
            for one in visits
        ),
    )


@router.post("/v1/instances/{id}/events")
async def inject(id: UUID, body: EventRequest, parts: Parts) -> EventAnswer:
    """Store an event of the instance's customer, and say what it did to the instance."""
    row = await found(parts, id)
    now = parts.clock.now()
    named = {one.kind: one.value for one in await customers.ids(parts.pool, row.customer)}
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


@router.post("/v1/instances/{id}/cancel")
async def cancel(id: UUID, parts: Parts) -> InstanceView:
    """End an instance; nothing is sent after the answer. Harmless when it has ended."""
    await found(parts, id)
    ended = await instances.end(parts.pool, [id], parts.clock.now(), "cancelled")
    for row in ended:
        await parts.engine.nudge(row.workflow_id, Nudge(id=row.id, instance=row.id, ends=True))
    return view(await found(parts, id))


async def owner_of(parts: State, event: Event) -> CustomerId:
    """The customer of an event that no router will see."""
    resolved = await identify(parts.pool, [event], parts.secret, parts.clock.now())
    owner = resolved.customers.get(event.id)
    if owner is None:
        raise Problem(409, "Erased", "this customer was erased after the event occurred")
    return owner


async def found(parts: State, id: UUID) -> Instance:
    """The instance, or 404."""
    row = await instances.get(parts.pool, id)
    if row is None:
        raise Problem(404, NOT_FOUND, f"no instance has the id {id}")
    return row


async def tell(parts: State, row: Instance, event: Event, judged: Judged) -> None:
    """Signal what was decided; the router does it again, which the server drops."""
    if judged.effect == "ended":
        nudge = Nudge(id=event.id, instance=row.id, ends=True)
        await parts.engine.nudge(row.workflow_id, nudge)
    elif judged.effect == "woke":
        nudge = Nudge(id=event.id, instance=row.id, visit=judged.visit, exit=judged.exit)
        await parts.engine.nudge(row.workflow_id, nudge)


def view(row: Instance) -> InstanceView:
    """A row as it is shown."""
    return InstanceView(
        id=row.id,
        journey=row.journey,
        version=row.version,
        customer=row.customer,
        key=row.key,
        state=row.outcome or "inside",
        step=row.position if row.ended_at is None else None,
        waits_until=row.wait_until if row.wait_visit is not None else None,
        entered_at=row.entered_at,
        ended_at=row.ended_at,
        why=row.why,
        goal_at=row.goal_at,
        workflow_id=row.workflow_id,
    )
