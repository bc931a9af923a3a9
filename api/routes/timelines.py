"""A customer's timeline: all that happened, and what did not, in one order."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, JsonValue

from api.errors import Problem
from api.people import MISSING, Named, known
from api.state import Parts
from journeys.model import Model
from storage import timeline
from storage.timeline import Line, LineKind, Order, Place

router = APIRouter(tags=["customers"])


class LineView(Model):
    """One thing that happened to a customer, or (a refusal) did not."""

    at: datetime
    kind: LineKind
    journey: str | None = Field(examples=["abandoned-cart"])
    instance: UUID | None
    name: str | None = Field(
        description="of the event, the audience or the step", examples=["reminder"]
    )
    state: str | None = Field(
        description="joined or left, the exit, the message's state, the outcome", examples=["sent"]
    )
    until: datetime | None = Field(description="when the step was left, the message settled")
    reason: str | None = Field(examples=["condition"])
    detail: Mapping[str, JsonValue] | None = Field(
        description="properties of the event, why the audience was joined or left, or what was "
        "decided by which values"
    )
    run: UUID | None = Field(description="the run that entered, or did not")


class TimelinePage(Model):
    """A page of a timeline; `next` is the `after` of the following one."""

    items: tuple[LineView, ...]
    next: str | None


@router.get(
    "/v1/customers/{user_id}/timeline", summary="Everything that happened", responses=MISSING
)
async def get(
    user_id: Named,
    parts: Parts,
    order: Order = "newest",
    after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TimelinePage:
    """Every event, entry, step, message and non-message in one order, a page at a time."""
    row = await known(parts.pool, user_id)
    place = None if after is None else place_of(after)
    lines = await timeline.lines(parts.pool, row.id, order, place, limit)
    return TimelinePage(
        items=tuple(view(line) for line in lines),
        next=cursor(lines[-1]) if len(lines) == limit else None,
    )


def view(line: Line) -> LineView:
    """A line as it is shown."""
    return LineView(
        at=line.at,
        kind=line.kind,
        journey=line.journey,
        instance=line.instance,
        name=line.name,
        state=line.state,
        until=line.until,
        reason=line.reason,
        detail=line.detail,
        run=line.run,
    )


def cursor(line: Line) -> str:
    """The place of a line as a word."""
    text = f"{line.at.isoformat()}|{line.rank}|{line.ref}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(word: str) -> Place:
    """The place that a cursor names."""
    try:
        at, rank, ref = base64.urlsafe_b64decode(word).decode().split("|", 2)
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None or not 0 <= int(rank) < 10:
            raise ValueError(word)
    except ValueError:
        raise Problem(
            400, "Bad cursor", "`after` is not the `next` of a page of this timeline"
        ) from None
    return instant, int(rank), ref
