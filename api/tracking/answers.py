"""Answers in the one shape that every tracking client understands.

200 is done, anything else is an error with `code` and `message`; pages of any origin may read them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict

import asyncpg
import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.tracking.batch import Finding
from api.tracking.errors import Refusal

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]

SUCCESS = b'{"success":true}'
RETRY_AFTER = "2"
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
}
PREFLIGHT = {
    **HEADERS,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "authorization, content-type, content-encoding, "
        "x-retry-count, x-write-key, anonymousid, sentat"
    ),
    "Access-Control-Max-Age": "7200",
}
CREDENTIALS = "Access-Control-Allow-Credentials"
UNAVAILABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def answer(request: Request, status: int, content: bytes, headers: dict[str, str]) -> Response:
    """A JSON answer that a page of the asking origin may read.

    Keys, never cookies, open these routes, so a client that insists on sending cookies may as well.
    """
    origin = request.headers.get("origin")
    if origin is not None:
        allowed = {"Access-Control-Allow-Origin": origin, "Vary": "Origin", CREDENTIALS: "true"}
        headers = {**headers, **allowed}
    return Response(content, status, headers, media_type="application/json")


def accepted(request: Request, findings: list[Finding]) -> Response:
    """Exactly 200: on 202 or 204 some clients send the same batch again, up to eleven times."""
    if not findings:
        return answer(request, 200, SUCCESS, HEADERS)
    errors = [asdict(finding) for finding in findings]
    return answer(request, 200, orjson.dumps({"success": True, "errors": errors}), HEADERS)


def refused(request: Request, refusal: Refusal) -> Response:
    """An error; 503 says when to come back."""
    # A 401 without WWW-Authenticate: visitors of a page must not be asked for a password.
    headers = {**HEADERS, "Retry-After": RETRY_AFTER} if refusal.status == 503 else HEADERS
    content = orjson.dumps({"code": refusal.code, "message": refusal.message})
    return answer(request, refusal.status, content, headers)


async def preflight(request: Request) -> Response:
    """What browsers ask before they post."""
    return answer(request, 200, b"{}", PREFLIGHT)


def answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with everything that is raised turned into an answer."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refusal as refusal:
            return refused(request, refusal)
        except ClientDisconnect:
            return refused(request, Refusal(400, "disconnected", "the client went away"))
        except UNAVAILABLE as error:
            log.warning("ingest.unavailable", error=type(error).__name__)
            said = "events cannot be stored right now; send them again"
            return refused(request, Refusal(503, "unavailable", said))

    answered.__name__ = endpoint.__name__
    answered.__doc__ = endpoint.__doc__
    return answered
