"""Errors outside the tracking routes, as problem+json (RFC 9457)."""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from temporalio.service import RPCError

from storage.pool import UNREACHABLE

log = structlog.get_logger()

MEDIA = "application/problem+json"
AWAY = {"Retry-After": "5"}


class Problem(Exception):
    """Something the caller can do about: status, a title for its kind, and what happened here."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def answer(problem: Problem) -> Response:
    """A problem as its response."""
    body = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    return JSONResponse(body, problem.status, problem.headers, MEDIA)


def malformed(error: RequestValidationError) -> Problem:
    """A body or parameter that is not of the right form: every place, without the value."""
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "message": plain(one["msg"])}
        for one in error.errors()
    ]
    places = "; ".join(f"{one['where']}: {one['message']}" for one in errors)
    return Problem(422, "Malformed request", places, errors=errors)


def plain(said: str) -> str:
    """A validator's sentence as JSON's users know things: what we say ourselves stands alone."""
    return said.removeprefix("Value error, ").replace("valid tuple", "list")


def install(app: FastAPI) -> None:
    """Translate every error of `app` once, here."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def validation(_: Request, error: RequestValidationError) -> Response:
        return answer(malformed(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        detail = f"{request.method} {request.url.path}: {error.detail}"
        return answer(Problem(error.status_code, str(error.detail), detail, error.headers))

    @app.exception_handler(RPCError)
    async def engine(_: Request, error: RPCError) -> Response:
        log.warning("api.engine_away", error=error.status.name)
        return answer(Problem(503, "Temporal is away", "try again soon", AWAY))

    async def database(_: Request, error: Exception) -> Response:
        log.warning("api.database_away", error=type(error).__name__)
        return answer(Problem(503, "Postgres is away", "try again soon", AWAY))

    for kind in UNREACHABLE:
        app.add_exception_handler(kind, database)
