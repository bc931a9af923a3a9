"""Subscriptions: who is told when a customer joins an audience or leaves it."""

import base64
import secrets
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter
from pydantic import AfterValidator, AwareDatetime, Field

from api.errors import Problem
from api.state import Parts
from audiences.definition import Reference
from channels.base import InvalidRouteError
from channels.signed_http import checked_url
from journeys.model import Model
from storage import audiences, news, subscriptions
from storage.pool import Db
from storage.subscriptions import Format, Subscription

MOST = 100

router = APIRouter(tags=["subscriptions"])
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such subscription."}}


def receiver(url: str) -> str:
    """A URL that can be posted to; a password in it would end up in logs on the way."""
    try:
        parts = httpx.URL(checked_url(url))
    except (InvalidRouteError, httpx.InvalidURL, ValueError) as error:
        raise ValueError(f"not a URL to post to: {error}") from error
    if parts.userinfo:
        raise ValueError("a URL with a user or password in it is not taken")
    return url


Url = Annotated[
    str,
    Field(max_length=2000, examples=["https://partner.example.com/hooks"]),
    AfterValidator(receiver),
]


class SubscriptionWanted(Model):
    """Where to post what: each change of these audiences, of all if none is named."""

    url: Url
    audiences: tuple[Reference, ...] = Field((), max_length=100, examples=[["loyal"]])
    format: Format = "standard"


class SubscriptionView(Model):
    """A subscription, and how it stands: `error` is why it took nothing the last time."""

    id: UUID
    url: str
    audiences: tuple[str, ...]
    format: Format
    created_at: datetime
    failing_since: datetime | None
    error: str | None
    stopped_at: datetime | None = Field(description="it took nothing for days, or answered 410")


class SubscriptionMade(SubscriptionView):
    """The same with the secret that signs what is posted: it is shown this once."""

    secret: str = Field(examples=["whsec_…"])


class SubscriptionList(Model):
    """Every subscription."""

    items: tuple[SubscriptionView, ...]


class Replay(Model):
    """From when on everything is told again; without `from` a stopped one goes on."""

    since: AwareDatetime | None = Field(None, alias="from")


@router.post("/v1/subscriptions", summary="Subscribe to audiences", status_code=201)
async def make(wanted: SubscriptionWanted, parts: Parts) -> SubscriptionMade:
    """From now on POST `audience.entered` and `audience.left` there, signed (Standard Webhooks)."""
    if len(await subscriptions.listed(parts.pool)) >= MOST:
        raise Problem(409, "Conflict", f"there are {MOST} subscriptions already; delete one first")
    await check_names(parts.pool, wanted.audiences)
    secret = secrets.token_bytes(32)
    now = parts.clock.now()
    made = await subscriptions.add(
        parts.pool, uuid4(), wanted.url, wanted.audiences, wanted.format, secret, now
    )
    shown = f"whsec_{base64.b64encode(secret).decode()}"
    return SubscriptionMade(**dict(view(made)), secret=shown)


@router.get("/v1/subscriptions", summary="List subscriptions")
async def listed(parts: Parts) -> SubscriptionList:
    """Every subscription without its secret, the oldest first."""
    return SubscriptionList(
        items=tuple(view(one) for one in await subscriptions.listed(parts.pool))
    )


@router.delete(
    "/v1/subscriptions/{id}", summary="End a subscription", status_code=204, responses=MISSING
)
async def remove(id: UUID, parts: Parts) -> None:
    """Post nothing there any more; what is under way may still arrive."""
    if not await subscriptions.remove(parts.pool, id):
        raise missing(id)


@router.post("/v1/subscriptions/{id}/replay", summary="Tell it again", responses=MISSING)
async def replay(id: UUID, wanted: Replay, parts: Parts) -> SubscriptionView:
    """Post everything since `from` once more, under the same ids; what is under way is repeated.

    A subscription that was stopped begins again, from where it stood if no `from` is given.
    """
    since = wanted.since
    position = await news.before(parts.pool, since) if since is not None else None
    if not await subscriptions.replay(parts.pool, id, position):
        raise missing(id)
    found = await subscriptions.get(parts.pool, id)
    if found is None:
        raise missing(id)
    return view(found)


async def check_names(db: Db, names: tuple[str, ...]) -> None:
    """Refuse names that no audience or part of one has."""
    known = {name for one in await audiences.listed(db) for name in one.definition.names}
    if unknown := [name for name in names if name not in known]:
        raise Problem(400, "Unknown audience", f"no audience is called {', '.join(unknown)}")


def missing(id: UUID) -> Problem:
    """There is no such subscription."""
    return Problem(
        404, "Not found", f"no subscription has the id {id}; GET /v1/subscriptions lists them"
    )


def view(one: Subscription) -> SubscriptionView:
    """A subscription as it is shown."""
    return SubscriptionView(
        id=one.id,
        url=one.url,
        audiences=tuple(one.audiences),
        format=one.format,
        created_at=one.created_at,
        failing_since=one.failing_since,
        error=one.error,
        stopped_at=one.stopped_at,
    )
