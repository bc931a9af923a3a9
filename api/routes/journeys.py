"""Journeys: publish a version, look at what is published, and say who may do what."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field, JsonValue

from api import publishing
from api.errors import Problem
from api.publishing import PublishRequest
from api.reporting import Report, report
from api.state import Parts, State
from journeys.finding import Finding
from journeys.model import Model
from journeys.way import Way
from storage import audiences, journeys, reports
from storage.journeys import JourneyRow, JourneyState, Verb

router = APIRouter(tags=["journeys"])

MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such journey."}}
VERBS: dict[Verb, str] = {
    "pause": "Take no entries and hold every effect back",
    "resume": "Go on after a pause",
    "close": "Take no entries; those inside go on",
    "open": "Take entries again",
    "stop": "Take no entries and end everybody inside",
}


class JourneyView(Model):
    """A journey as it stands."""

    journey: str = Field(examples=["abandoned-cart"])
    state: JourneyState
    version: int
    published_at: datetime


class JourneyItem(JourneyView):
    """The same with how many entered it, and how many of them are inside."""

    entered: int
    inside: int


class JourneyList(Model):
    """Every journey by name."""

    items: tuple[JourneyItem, ...]


class VersionView(Model):
    """One published version."""

    version: int
    hash: str
    published_at: datetime


class JourneyDetail(JourneyView):
    """One version of a journey in full, and which versions there are, the newest first."""

    shown_version: int
    way: Way = Field(description="which way those go whom a run enters, and why")
    definition: Mapping[str, JsonValue]
    templates: Mapping[str, JsonValue]
    versions: tuple[VersionView, ...]


class Published(Model):
    """The version that holds what was sent; `is_new` is false when it was published already."""

    journey: str = Field(examples=["abandoned-cart"])
    version: int
    hash: str
    is_new: bool
    way: Way | None = Field(None, description="which way a group goes through it, if one enters")
    warnings: tuple[Finding, ...] = ()


@router.put(
    "/v1/journeys/{journey}",
    summary="Publish a journey",
    responses={
        200: {"description": "This is the newest version already."},
        201: {"model": Published, "description": "A new version was made."},
        400: {"description": "The journey has errors: `findings` names every one of them."},
    },
)
async def publish(
    journey: str, body: PublishRequest, parts: Parts, response: Response
) -> Published:
    """Check a definition completely, and make it the journey's newest version."""
    sound = publishing.checked(journey, body, parts.clock.now())
    version, is_new = await journeys.publish(
        parts.pool, journey, sound.hash, sound.definition, sound.templates, parts.clock.now()
    )
    await parts.registry.refresh(parts.pool)
    response.status_code = 201 if is_new else 200
    audience_names = [
        name for row in await audiences.listed(parts.pool) for name in row.definition.names
    ]
    return Published(
        journey=journey,
        version=version,
        hash=sound.hash,
        is_new=is_new,
        way=sound.way,
        warnings=(*sound.warnings, *publishing.no_audience(sound, audience_names)),
    )


@router.get("/v1/journeys", summary="List journeys")
async def listed(parts: Parts) -> JourneyList:
    """Every journey by name, with how many entered it and how many are inside."""
    rows = await journeys.listed(parts.pool)
    counts = await reports.standings(parts.pool)
    return JourneyList(
        items=tuple(
            JourneyItem(**dict(view(row)), entered=entered, inside=inside)
            for row in rows
            for entered, inside in [counts.get(row.name, (0, 0))]
        )
    )


@router.get("/v1/journeys/{journey}", summary="Read a journey", responses=MISSING)
async def get(
    journey: str,
    parts: Parts,
    version: Annotated[int | None, Query(ge=1, description="the newest, unless given")] = None,
) -> JourneyDetail:
    """One version of a journey: its definition and templates, and all its versions."""
    row = await found(parts, journey)
    shown = version or row.version
    plan = await journeys.plan(parts.pool, journey, shown)
    if plan is None:
        raise Problem(
            404, "Not found", f"{journey} has no version {shown}; the newest is {row.version}"
        )
    versions = await journeys.versions(parts.pool, journey)
    return JourneyDetail(
        **dict(view(row)),
        shown_version=shown,
        way=plan.way,
        definition=publishing.definition_of(plan.journey),
        templates=publishing.templates_of(plan.templates),
        versions=tuple(
            VersionView(version=number, hash=digest, published_at=at)
            for number, digest, at in versions
        ),
    )


@router.get("/v1/journeys/{journey}/report", summary="What became of everybody", responses=MISSING)
async def report_of(journey: str, parts: Parts) -> Report:
    """Who entered, where they went and stand, what was sent, what was not, and why."""
    row = await found(parts, journey)
    return await report(parts.pool, parts.registry, row)


def changing(verb: Verb) -> None:
    """The route of one verb."""

    async def change(journey: str, parts: Parts) -> JourneyView:
        row = await journeys.change(parts.pool, journey, parts.clock.now(), verb)
        if row is None:
            raise missing(journey)
        await parts.registry.refresh(parts.pool)
        return view(row)

    router.add_api_route(
        f"/v1/journeys/{{journey}}/{verb}",
        change,
        methods=["POST"],
        name=verb,
        summary=VERBS[verb],
        description=f"{VERBS[verb]}. Doing it again changes nothing.",
        responses=MISSING,
    )


for verb in VERBS:
    changing(verb)


async def found(parts: State, journey: str) -> JourneyRow:
    """The journey, or 404."""
    row = await journeys.get(parts.pool, journey)
    if row is None:
        raise missing(journey)
    return row


def missing(journey: str) -> Problem:
    """There is no journey of that name."""
    return Problem(
        404, "Not found", f"no journey is called {journey!r}; GET /v1/journeys lists them"
    )


def view(row: JourneyRow) -> JourneyView:
    """A row as it is shown."""
    return JourneyView(
        journey=row.name, state=row.state, version=row.version, published_at=row.published_at
    )
