"""Routes that pages of any origin may read: keys and tokens open them, never cookies."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.errors import Problem, answer

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
}
PREFLIGHT = {
    **HEADERS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "authorization, content-type, if-none-match, last-event-id, x-api-key"
    ),
    "Access-Control-Max-Age": "7200",
}


class OpenRoute(APIRoute):
    """A route whose answers, refusals too, may be read by any page that has a key."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The endpoint, with the headers that browsers look for."""
        handler: Callable[[Request], Awaitable[Response]] = super().get_route_handler()

        async def opened(request: Request) -> Response:
            try:
                response = await handler(request)
            except Problem as problem:
                response = answer(problem)
            response.headers.update(HEADERS)
            return response

        return opened


async def preflight() -> Response:
    """What browsers ask before they send a key."""
    return Response(status_code=204, headers=PREFLIGHT)


def allow_preflight(router: APIRouter) -> None:
    """Answer what browsers ask before they use the routes of `router`."""
    for path in [route.path for route in router.routes if isinstance(route, APIRoute)]:
        router.add_api_route(path, preflight, methods=["OPTIONS"], include_in_schema=False)
