"""Customers: read, list, why, export and erase."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, JsonValue

from api import erasing
from api import why as reasons
from api.erasing import Erased
from api.errors import Problem
from api.people import MISSING, Named, known, person
from api.routes import timelines
from api.state import Parts, State
from journeys.identity import ExternalId, IdKind
from journeys.model import Model
from journeys.why import Why
from storage import consent, customers, external_ids, journeys, timeline
from storage.customers import Customer

router = APIRouter(tags=["customers"])
router.include_router(timelines.router)


class IdView(Model):
    """An id that somebody else gave the customer."""

    kind: IdKind
    value: str = Field(examples=["user-17"])


class CustomerView(Model):
    """One customer: who it is and what is known of it."""

    id: UUID
    ids: tuple[IdView, ...]
    attributes: Mapping[str, JsonValue] = Field(examples=[{"email": "ada@example.com"}])
    created_at: datetime


class Unsubscribed(Model):
    """What the customer does not want; `*` stands for everything."""

    channel: str = Field(examples=["email"])
    topic: str = Field(examples=["offers"])
    at: datetime


class CustomerDetail(CustomerView):
    """The same with what the customer does not want."""

    unsubscribed: tuple[Unsubscribed, ...]


class CustomerPage(Model):
    """A page of customers; `next` is the `after` of the following one."""

    items: tuple[CustomerView, ...]
    next: UUID | None


class Export(Model):
    """Everything that is kept about a customer, row by row."""

    customer: CustomerDetail
    events: tuple[dict[str, JsonValue], ...]
    instances: tuple[dict[str, JsonValue], ...]
    trail: tuple[dict[str, JsonValue], ...]
    messages: tuple[dict[str, JsonValue], ...]
    refusals: tuple[dict[str, JsonValue], ...]
    memberships: tuple[dict[str, JsonValue], ...]
    membership_changes: tuple[dict[str, JsonValue], ...]


@router.get("/v1/customers", summary="List customers")
async def listed(
    parts: Parts,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CustomerPage:
    """Customers by our id, a page at a time."""
    rows = await customers.listed(parts.pool, after, limit)
    ids = await external_ids.of_customers(parts.pool, [row.id for row in rows])
    return CustomerPage(
        items=tuple(view(row, ids[row.id]) for row in rows),
        next=rows[-1].id if len(rows) == limit else None,
    )


@router.get("/v1/customers/{user_id}", summary="Read a customer", responses=MISSING)
async def get(user_id: Named, parts: Parts) -> CustomerDetail:
    """One customer by any of its ids."""
    return await detail(parts, await known(parts.pool, user_id))


@router.get(
    "/v1/customers/{user_id}/why", summary="Why it got what it got, and did not", responses=MISSING
)
async def why(
    user_id: Named,
    parts: Parts,
    journey: Annotated[str | None, Query(examples=["abandoned-cart"])] = None,
) -> Why:
    """For each journey: entered or why not, each step with its exit, each message's fate."""
    row = await known(parts.pool, user_id)
    if journey is not None and await journeys.get(parts.pool, journey) is None:
        raise Problem(
            404, "Not found", f"no journey is called {journey!r}; GET /v1/journeys lists them"
        )
    return await reasons.why(parts.pool, parts.registry, row.id, journey)


@router.get("/v1/customers/{user_id}/export", summary="Export as JSON", responses=MISSING)
async def export(user_id: Named, parts: Parts) -> Export:
    """Everything that is kept about a customer."""
    row = await known(parts.pool, user_id)
    everything = await timeline.everything(parts.pool, row.id)
    everything.pop("unsubscriptions")
    return Export.model_validate({"customer": await detail(parts, row), **everything})


@router.delete("/v1/customers/{user_id}", summary="Erase a customer", responses=MISSING)
async def erase(user_id: Named, parts: Parts) -> Erased:
    """Erase everything that is known of a customer, here and in Temporal.

    Events that occurred before do not bring it back. Erasing again changes nothing; 503 means that
    it was not done, and has to be asked again.
    """
    row = await person(parts.pool, user_id)
    if row is None:
        return await erasing.erased_before(parts, user_id)
    return await erasing.erase(parts, row)


async def detail(parts: State, row: Customer) -> CustomerDetail:
    """A customer with its ids and what it does not want."""
    ids = await external_ids.of_customer(parts.pool, row.id)
    unwanted = await consent.unwanted(parts.pool, row.id)
    return CustomerDetail(
        **dict(view(row, ids)),
        unsubscribed=tuple(
            Unsubscribed(channel=channel, topic=topic, at=at) for channel, topic, at in unwanted
        ),
    )


def view(row: Customer, ids: list[ExternalId]) -> CustomerView:
    """A row as it is shown."""
    return CustomerView(
        id=row.id,
        ids=tuple(IdView(kind=id.kind, value=id.value) for id in ids),
        attributes=row.attributes,
        created_at=row.created_at,
    )
