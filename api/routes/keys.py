"""Keys: made and shown once, listed, revoked."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field

from api.errors import Problem
from api.state import Parts
from journeys.model import Model
from storage import keys
from storage.keys import Key, KeyKind

router = APIRouter(tags=["keys"])

NAME = Field(min_length=1, max_length=100, examples=["shop front"])
GONE: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such key."}}


class KeyWanted(Model):
    """A key to be made: `browser` reads what is shared, `write` sends events, `admin` does all."""

    kind: KeyKind
    name: Annotated[str, NAME]


class KeyView(Model):
    """What is shown of a key."""

    id: UUID
    kind: KeyKind
    name: str
    created_at: datetime


class KeyMade(KeyView):
    """The same with the key itself: it is shown this once, only its hash is kept."""

    key: str = Field(examples=["browser_…"])


class KeyList(Model):
    """Every key."""

    items: tuple[KeyView, ...]


@router.post("/v1/keys", summary="Make a key", status_code=201)
async def make(wanted: KeyWanted, parts: Parts, request: Request) -> KeyMade:
    """A new key, shown once; every process knows it within a second."""
    secret = keys.new_secret(wanted.kind)
    made = await keys.add(parts.pool, wanted.kind, wanted.name, secret, parts.clock.now())
    request.app.state.keys.look_again()
    return KeyMade(**dict(view(made)), key=secret)


@router.get("/v1/keys", summary="List keys")
async def listed(parts: Parts) -> KeyList:
    """Every key without its secret, the oldest first."""
    return KeyList(items=tuple(view(one) for one in await keys.listed(parts.pool)))


@router.delete("/v1/keys/{id}", summary="Revoke a key", status_code=204, responses=GONE)
async def revoke(id: UUID, parts: Parts, request: Request) -> None:
    """Refuse a key everywhere, seconds from now; the last admin key stays (409).

    A key from a process's settings is let in again when that process starts.
    """
    if await keys.revoke(parts.pool, id):
        request.app.state.keys.look_again()
        return
    if any(one.id == id for one in await keys.listed(parts.pool)):
        raise Problem(409, "Conflict", f"key {id} is the last admin key; make another one first")
    raise Problem(404, "Not found", f"no key has the id {id}; GET /v1/keys lists them")


def view(key: Key) -> KeyView:
    """A key as it is shown."""
    return KeyView(id=key.id, kind=key.kind, name=key.name, created_at=key.created_at)
