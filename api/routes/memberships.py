"""The audiences a customer is in, for whoever decides by them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field, JsonValue
from starlette.responses import Response

from api import etags
from api.auth import reader
from api.origins import OpenRoute, allow_preflight
from api.people import MISSING, unknown
from api.state import Parts
from journeys.model import Model
from storage import sharing
from storage.keys import KeyKind

router = APIRouter(route_class=OpenRoute, tags=["sharing"])

Anyone = Annotated[
    str,
    Path(
        description="a user id, anonymous id or our id; `user_id:…` or `anonymous_id:…` says which",
        examples=["user-17"],
        pattern=r"^[^\x00]{1,512}$",
    ),
]


class MembershipView(Model):
    """An audience that the customer is in; why it joined is for admin keys only."""

    audience: str = Field(examples=["loyal"])
    joined_at: datetime
    why: Mapping[str, JsonValue] | None = None


class Memberships(Model):
    """The audiences that a customer is in, by name; a browser key sees shared ones only."""

    customer: UUID | None = Field(description="our id; only for admin keys")
    audiences: tuple[MembershipView, ...]


RESPONSES: dict[int | str, dict[str, Any]] = {
    **MISSING,
    304: {"description": "Nothing has changed since the answer that had this ETag."},
}


@router.get(
    "/v1/customers/{user_id}/audiences",
    summary="The audiences a customer is in",
    response_model=Memberships,
    responses=RESPONSES,
)
async def audiences(
    user_id: Anyone, request: Request, parts: Parts, kind: Annotated[KeyKind, Depends(reader)]
) -> Response:
    """Current memberships, with an ETag. With a browser key nobody can learn who is a customer."""
    is_admin = kind == "admin"
    found = await sharing.audiences_of(parts.pool, user_id, only_shared=not is_admin)
    if found is None and is_admin:
        raise unknown(user_id)
    customer, inside = found or (None, [])
    views = [
        {"audience": one.audience, "joined_at": one.joined_at}
        | ({"why": one.why} if is_admin else {})
        for one in inside
    ]
    content = {"customer": str(customer) if is_admin else None, "audiences": views}
    return etags.answer(request, orjson.dumps(content))


allow_preflight(router)
