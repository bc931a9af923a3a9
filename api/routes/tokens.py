"""Tokens: a server hands one to the page of a customer, which follows its audiences with it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api import tokens
from api.people import MISSING, known
from api.state import Parts
from journeys.model import Model

router = APIRouter(tags=["sharing"])


class TokenWanted(Model):
    """Who the page belongs to, and for how long it may follow."""

    customer: Annotated[str, Field(max_length=512, pattern=r"^[^\x00]+$", examples=["user-17"])]
    minutes: Annotated[int, Field(ge=1, le=60)] = 15


class TokenMade(Model):
    """A token for `GET /v1/stream`; it ends by itself and cannot be revoked."""

    token: str
    expires_at: datetime


@router.post("/v1/tokens", summary="Make a token for a page", status_code=201, responses=MISSING)
async def make(wanted: TokenWanted, parts: Parts) -> TokenMade:
    """A token by which a page sees the shared audiences of this one customer."""
    row = await known(parts.pool, wanted.customer)
    # Of the real clock, also where an installation lives in made-up time: browsers do not.
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=wanted.minutes)
    return TokenMade(token=tokens.make(parts.secret, row.id, expires), expires_at=expires)
