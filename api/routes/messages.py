"""Messages: what was sent, to whom, and what became of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.people import person
from api.state import Parts
from journeys.model import Model
from storage import messages
from storage.messages import Message, MessageState

router = APIRouter(tags=["messages"])


class MessageView(Model):
    """One delivery to one customer over one channel."""

    id: UUID
    instance: UUID
    customer: UUID
    journey: str = Field(examples=["abandoned-cart"])
    step: str = Field(examples=["reminder"])
    visit: int
    channel: str = Field(examples=["email"])
    class_: str = Field(alias="class", examples=["marketing"])
    topic: str | None = Field(examples=["offers"])
    guarantee: str = Field(examples=["at_most_once"])
    state: MessageState = Field(examples=["accepted"])
    reason: str | None = Field(description="one word on why it was not sent", examples=[None])
    detail: str | None = Field(description="the provider's words, or ours", examples=["250 Ok"])
    attempts: int
    provider: str | None = Field(examples=["smtp"])
    provider_id: str | None
    at: datetime
    settled_at: datetime | None


class MessagePage(Model):
    """A page of messages; `next` is the `after` of the following one."""

    items: tuple[MessageView, ...]
    next: UUID | None


@router.get("/v1/messages", summary="List messages, sent and not sent")
async def listed(
    parts: Parts,
    customer: Annotated[
        str | None, Query(description="a user id, anonymous id, or our id", examples=["user-17"])
    ] = None,
    journey: Annotated[str | None, Query(examples=["abandoned-cart"])] = None,
    state: MessageState | None = None,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> MessagePage:
    """Messages by id, a page at a time, narrowed by what is given."""
    owner = None
    if customer is not None:
        known = await person(parts.pool, customer)
        if known is None:
            return MessagePage(items=(), next=None)
        owner = known.id
    rows = await messages.listed(parts.pool, owner, journey, state, after, limit)
    return MessagePage(
        items=tuple(view(row) for row in rows), next=rows[-1].id if len(rows) == limit else None
    )


def view(row: Message) -> MessageView:
    """A row of the ledger as it is shown; leases and attempts' ids are nobody's business."""
    return MessageView(
        id=row.id,
        instance=row.instance,
        customer=row.customer,
        journey=row.journey,
        step=row.step,
        visit=row.visit,
        channel=row.channel,
        class_=row.class_,
        topic=row.topic,
        guarantee=row.guarantee,
        state=row.state,
        reason=row.reason,
        detail=row.detail,
        attempts=row.attempts,
        provider=row.provider,
        provider_id=row.provider_id,
        at=row.at,
        settled_at=row.settled_at,
    )
