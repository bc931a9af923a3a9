"""Instances: list them, look at one with its trail, cancel it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.errors import Problem
from api.state import Parts, State
from journeys.calls import Nudge
from journeys.model import Model
from storage import customers, instances, moves, trail
from storage.instances import Instance

router = APIRouter(tags=["instances"])


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


@router.post("/v1/instances/{id}/cancel")
async def cancel(id: UUID, parts: Parts) -> InstanceView:
    """End an instance; nothing is sent after the answer. Harmless when it has ended."""
    await found(parts, id)
    ended = await moves.end(parts.pool, [id], parts.clock.now(), "cancelled")
    for row in ended:
        await parts.engine.nudge(row.workflow_id, Nudge(id=row.id, instance=row.id, ends=True))
    return view(await found(parts, id))


async def found(parts: State, id: UUID) -> Instance:
    """The instance, or 404."""
    row = await instances.get(parts.pool, id)
    if row is None:
        raise Problem(404, "Not found", f"no instance has the id {id}")
    return row


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
