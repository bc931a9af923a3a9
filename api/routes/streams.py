"""The stream of one customer's shared audiences, for an EventSource in a page."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from api import tokens
from api.errors import Problem
from api.origins import OpenRoute, allow_preflight
from api.state import Parts
from api.streams import Streams
from storage import customers
from storage.news import Position

router = APIRouter(route_class=OpenRoute, tags=["sharing"])

ID = re.compile(r"(\d{1,18})-(\d{1,18})")
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
BUSY = {"Retry-After": "5"}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events.", "content": {"text/event-stream": {}}},
    401: {"description": "The token is not good, or not any more."},
    429: {"description": "This customer has too many streams."},
    503: {"description": "This process has too many streams."},
}


@router.get(
    "/v1/stream",
    summary="Follow a customer's audiences",
    response_class=StreamingResponse,
    responses=RESPONSES,
)
async def stream(
    request: Request,
    parts: Parts,
    token: Annotated[str, Query(max_length=200)] = "",
    last_event_id: Annotated[str, Header(max_length=40)] = "",
) -> Response:
    """First `audiences` with all that the customer is in, then `audience.entered` and `.left`.

    Each within a second. After a break the browser sends Last-Event-ID and gets what it missed.
    """
    now = datetime.now(UTC)
    found = tokens.read(parts.secret, token, now)
    row = await customers.get(parts.pool, found[0]) if found else None
    if found is None or row is None:
        raise Problem(401, "Unauthorized", "no valid token: POST /v1/tokens makes one")
    streams: Streams = request.app.state.streams
    if not streams.has_room():
        raise Problem(503, "Too many streams", "this process takes no more; come again", BUSY)
    if not streams.has_room_for(row.id):
        raise Problem(429, "Too many streams", "this customer has too many streams open", BUSY)
    # What a merged customer missed is not all that it does not know.
    after = position(last_event_id) if row.id == found[0] else None
    events = streams.follow(row.id, after, found[1] - now.timestamp())
    return StreamingResponse(events, headers=HEADERS, media_type="text/event-stream")


def position(text: str) -> Position | None:
    """Where the page was, if it says so."""
    match = ID.fullmatch(text.strip())
    return (int(match[1]), int(match[2])) if match else None


allow_preflight(router)
