"""Audiences as feature flags, for any OpenFeature SDK (OFREP)."""

from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import Field, JsonValue
from starlette.responses import Response

from api import etags, ofrep
from api.auth import reader
from api.ofrep import CannotEvaluate
from api.origins import OpenRoute, allow_preflight
from api.state import Parts
from journeys.model import Model
from storage import sharing

router = APIRouter(route_class=OpenRoute, tags=["sharing"], dependencies=[Depends(reader)])


class Evaluated(Model):
    """A flag's value for one customer; without `value` the caller's default is meant."""

    key: str = Field(examples=["loyal"])
    value: JsonValue = Field(None, examples=[True])
    reason: str = Field(examples=["TARGETING_MATCH"])
    variant: str = Field(examples=["inside"])


class AllEvaluated(Model):
    """Every flag."""

    flags: tuple[Evaluated, ...]


REQUEST = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"context": {"targetingKey": "user-17"}},
            }
        },
    }
}
BAD: dict[int | str, dict[str, Any]] = {
    400: {"description": "PARSE_ERROR, TARGETING_KEY_MISSING or INVALID_CONTEXT."},
}


@router.post(
    "/ofrep/v1/evaluate/flags",
    summary="Evaluate every flag (OFREP)",
    response_model=AllEvaluated,
    responses={**BAD, 304: {"description": "Nothing has changed since that ETag."}},
    openapi_extra=REQUEST,
)
async def evaluate_all(request: Request, parts: Parts) -> Response:
    """Every shared audience and shared attribute, for the customer `context.targetingKey`."""
    try:
        key = await ofrep.targeting_key(request)
    except CannotEvaluate as error:
        return ofrep.refused(error)
    shared = await sharing.shared_of(parts.pool, key)
    return etags.answer(request, orjson.dumps({"flags": ofrep.flags(shared)}))


@router.post(
    "/ofrep/v1/evaluate/flags/{key:path}",
    summary="Evaluate one flag (OFREP)",
    response_model=Evaluated,
    responses={**BAD, 404: {"description": "FLAG_NOT_FOUND: nothing of this name is shared."}},
    openapi_extra=REQUEST,
)
async def evaluate(key: str, request: Request, parts: Parts) -> Response:
    """One flag: `loyal`, `pilot/a`, or `customer.plan` for a shared attribute."""
    try:
        shared = await sharing.shared_of(parts.pool, await ofrep.targeting_key(request))
        flag = ofrep.flag(key, shared)
    except CannotEvaluate as error:
        return ofrep.refused(error, key)
    return Response(orjson.dumps(flag), media_type="application/json")


allow_preflight(router)
