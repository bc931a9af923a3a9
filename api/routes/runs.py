"""Runs: how a group enters a journey; begin one, watch it, pause, resume and cancel it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Header, Query
from pydantic import Field
from temporalio.service import RPCError

from api.errors import Problem
from api.routes.journeys import MISSING, found
from api.state import Parts, State
from journeys.model import Model
from journeys.phrases import of_entry
from routing.occasions import MADE_BY_KEY, requested
from storage import runs
from storage.runs import Cause, Run, RunState
from workflows.run import RunStart

router = APIRouter(tags=["runs"])

Verb = Literal["pause", "resume", "cancel"]
VERBS: dict[Verb, str] = {
    "pause": "Enter nobody else until it is resumed",
    "resume": "Go on after a pause",
    "cancel": "Enter nobody else; those who entered stay inside",
}
NO_RUN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such run."}}


class RunView(Model):
    """One run of a journey, and how far it is."""

    id: UUID
    journey: str = Field(examples=["win-back"])
    version: int
    cause: Cause
    audience: str | None = Field(description="None: everybody", examples=["loyal"])
    scheduled_for: datetime
    state: RunState
    is_held: bool = Field(description="it waits: paused, or its journey is")
    expected: int | None = Field(description="how many were in the audience when it began")
    reached: int = Field(description="to how many it has come")
    entered: int
    refused: int = Field(description="who was reached and did not enter")
    why: str | None = Field(description="why it ended early")
    started_at: datetime | None
    ended_at: datetime | None
    workflow_id: str = Field(description="its workflow in Temporal")


class RunPage(Model):
    """A page of runs; `next` is the `after` of the following one."""

    items: tuple[RunView, ...]
    next: UUID | None


@router.get("/v1/journeys/{journey}/runs", summary="List a journey's runs", responses=MISSING)
async def listed(
    journey: str,
    parts: Parts,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> RunPage:
    """Runs, the latest first."""
    await found(parts, journey)
    rows = await runs.listed(parts.pool, journey, after, limit)
    return RunPage(
        items=tuple(view(row) for row in rows), next=rows[-1].id if len(rows) == limit else None
    )


@router.post(
    "/v1/journeys/{journey}/runs",
    status_code=201,
    summary="Begin a run now",
    responses={**MISSING, 409: {"description": "No audience enters this journey, or nobody may."}},
)
async def begin(
    journey: str,
    parts: Parts,
    idempotency_key: Annotated[str | None, Header(max_length=256)] = None,
) -> RunView:
    """Have the journey's audience enter now, whatever its schedule says.

    With an `Idempotency-Key` a repeat answers with the same run.
    """
    row = await found(parts, journey)
    if row.state != "open":
        raise Problem(409, "Not entered", f"{journey!r} is {row.state} and takes no entries")
    plan = await parts.registry.plan(parts.pool, row.name, row.version)
    entry = plan.journey.entry
    if entry.audience is None or entry.date is not None or entry.business_event is not None:
        raise Problem(
            409,
            "No audience",
            f"{journey!r} is entered {of_entry(entry)}, and a run needs an entry by an audience; "
            f"POST /v1/journeys/{journey}/instances lets one customer in",
        )
    id = uuid5(MADE_BY_KEY, f"{journey}/{idempotency_key}") if idempotency_key else uuid4()
    async with parts.pool.acquire() as connection, connection.transaction():
        run = await requested(connection, id, plan, parts.clock.now())
    await start(parts, run)
    return view(run)


async def start(parts: State, run: Run) -> None:
    """Begin the run's workflow; where Temporal is away, whoever keeps house begins it later."""
    with suppress(RPCError):
        await parts.engine.begin(run.workflow_id, RunStart(journey=run.journey, run=run.id))


@router.get("/v1/runs/{id}", summary="Read a run", responses=NO_RUN)
async def get(id: UUID, parts: Parts) -> RunView:
    """One run."""
    return view(await existing(parts, id))


def changing(verb: Verb) -> Callable[[UUID, State], Awaitable[RunView]]:
    """The route of one verb."""

    async def change(id: UUID, parts: Parts) -> RunView:
        await existing(parts, id)
        match verb:
            case "pause":
                await runs.pause(parts.pool, id)
            case "resume":
                await runs.resume(parts.pool, id, parts.clock.now())
            case "cancel":
                await runs.end(parts.pool, id, parts.clock.now(), "cancelled", "it was cancelled")
        return view(await existing(parts, id))

    return change


for verb in VERBS:
    router.add_api_route(
        f"/v1/runs/{{id}}/{verb}",
        changing(verb),
        methods=["POST"],
        name=f"{verb}_run",
        summary=f"{verb.capitalize()} a run",
        description=f"{VERBS[verb]}. Doing it again, or when the run is over, changes nothing.",
        responses=NO_RUN,
    )


async def existing(parts: State, id: UUID) -> Run:
    """The run, or 404."""
    row = await runs.get(parts.pool, id)
    if row is None:
        raise Problem(404, "Not found", f"no run has the id {id}; see GET /v1/journeys/…/runs")
    return row


def view(row: Run) -> RunView:
    """A row as it is shown."""
    return RunView(
        id=row.id,
        journey=row.journey,
        version=row.version,
        cause=row.cause,
        audience=row.audience,
        scheduled_for=row.scheduled_for,
        state=row.state,
        is_held=row.held and row.ended_at is None,
        expected=row.expected,
        reached=row.reached,
        entered=row.entered,
        refused=row.refused,
        why=row.why,
        started_at=row.started_at,
        ended_at=row.ended_at,
        workflow_id=row.workflow_id,
    )
