"""Audiences: publish a version, look at what is published, delete."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field, JsonValue

from api.audience_publishing import AudienceRequest, checked
from api.errors import Problem
from api.lists import known
from api.state import Parts, State
from journeys.finding import Finding
from journeys.model import Model
from journeys.uses import audiences_of
from routing.catalogs import catalog_of
from storage import audiences, journeys, sizes
from storage.audiences import AudienceRow

router = APIRouter(tags=["audiences"])

MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such audience."}}
DAYS = 30


class AudienceView(Model):
    """An audience as it stands; it is `ready` once its members have been found."""

    audience: str = Field(examples=["loyal"])
    kind: str = Field(examples=["rule"])
    shared: bool
    version: int
    published_at: datetime
    ready: bool


class AudienceItem(AudienceView):
    """The same with how many are in it."""

    size: int


class AudienceList(Model):
    """Every audience by name."""

    items: tuple[AudienceItem, ...]


class SizeView(Model):
    """How many were in at the end of a day (UTC), and how many joined and left during it."""

    day: date
    size: int
    joined: int
    left: int


class AudienceDetail(AudienceItem):
    """An audience in full: its parts' sizes, and its size by day."""

    definition: Mapping[str, JsonValue]
    parts: Mapping[str, int]
    used_by: tuple[str, ...]
    days: tuple[SizeView, ...]


class PublishedAudience(Model):
    """The version that holds what was sent; `is_new` is false when it was published already."""

    audience: str = Field(examples=["loyal"])
    version: int
    hash: str
    is_new: bool
    warnings: tuple[Finding, ...] = ()


@router.put(
    "/v1/audiences/{audience}",
    summary="Publish an audience",
    responses={
        200: {"description": "This is the newest version already."},
        201: {"model": PublishedAudience, "description": "A new version was made."},
        400: {"description": "The audience has errors: `findings` names every one of them."},
    },
)
async def publish(
    audience: str, body: AudienceRequest, parts: Parts, response: Response
) -> PublishedAudience:
    """Check a definition completely, and make it the audience's newest version."""
    sound = checked(audience, body, await catalog_of(parts.pool))
    version, is_new = await audiences.publish(
        parts.pool, sound.audience, sound.hash, parts.clock.now()
    )
    response.status_code = 201 if is_new else 200
    return PublishedAudience(
        audience=audience,
        version=version,
        hash=sound.hash,
        is_new=is_new,
        warnings=sound.warnings,
    )


@router.get("/v1/audiences", summary="List audiences")
async def listed(parts: Parts) -> AudienceList:
    """Every audience by name, with how many are in it."""
    rows = await audiences.listed(parts.pool)
    counted = await sizes.now(parts.pool)
    return AudienceList(
        items=tuple(AudienceItem(**view(row), size=counted.get(row.name, 0)) for row in rows)
    )


@router.get("/v1/audiences/{audience}", summary="Read an audience", responses=MISSING)
async def get(
    audience: str,
    parts: Parts,
    days: Annotated[int, Query(ge=1, le=400, description="how many days back")] = DAYS,
) -> AudienceDetail:
    """An audience with its definition, its users, and its size by day."""
    row = await known(parts.pool, audience)
    counted = await sizes.now(parts.pool)
    since = parts.clock.now() - timedelta(days=days - 1)
    return AudienceDetail(
        **view(row),
        size=counted.get(audience, 0),
        definition=row.definition.model_dump(mode="json", exclude_none=True),
        parts={name: counted.get(name, 0) for name in row.definition.names[1:]},
        used_by=tuple(await users(parts, audience)),
        days=tuple(
            SizeView(**one._asdict())
            for one in await sizes.by_day(parts.pool, audience, since, parts.clock.now())
        ),
    )


@router.delete(
    "/v1/audiences/{audience}",
    status_code=204,
    summary="Delete an audience",
    responses={**MISSING, 409: {"description": "Something uses it: `users` names them."}},
)
async def delete(audience: str, parts: Parts) -> None:
    """Delete an audience that nothing uses; its members leave it."""
    row = await known(parts.pool, audience)
    using = await users(parts, audience)
    if using:
        raise Problem(
            409,
            "The audience is used",
            f"{audience} is used by {', '.join(using)}; change or close those first",
            users=using,
        )
    await audiences.delete(parts.pool, row.definition.names, parts.clock.now())


def view(row: AudienceRow) -> dict[str, Any]:
    """What is shown of an audience everywhere."""
    return {
        "audience": row.name,
        "kind": row.kind,
        "shared": row.shared,
        "version": row.version,
        "published_at": row.published_at,
        "ready": row.ready_at is not None,
    }


async def users(parts: State, audience: str) -> list[str]:
    """The audiences and the journeys that use an audience, each with what it is."""
    catalog = await catalog_of(parts.pool)
    using = [f"audience {name}" for name in catalog.users(audience)]
    for row in await journeys.listed(parts.pool):
        plan = await journeys.plan(parts.pool, row.name, row.version)
        if row.state != "stopped" and plan is not None and audience in audiences_of(plan):
            using.append(f"journey {row.name}")
    return using
