"""Questions about an audience that need not be published: how many, and how they are found."""

from fastapi import APIRouter
from pydantic import Field, JsonValue

from api.audience_publishing import AudienceRequest, checked
from api.state import Parts
from audiences.catalog import judged, watched_by
from audiences.definition import AnyAudience
from expressions.horizon import is_derivable
from journeys.finding import Finding
from journeys.model import Model
from routing.catalogs import catalog_of
from routing.evaluating import query_of
from storage import evaluation

router = APIRouter(tags=["audiences"])


class Estimate(Model):
    """How many customers a definition would have now."""

    size: int
    customers: int
    warnings: tuple[Finding, ...] = ()


class PlanRequest(AudienceRequest):
    """An audience to explain; `measure` runs its statement and says how long each part took."""

    measure: bool = False


class QueryPlan(Model):
    """The statement that finds all members, and how Postgres goes about it."""

    statement: str
    parameters: tuple[JsonValue, ...]
    plan: tuple[str, ...]
    watches: tuple[str, ...] = Field(description="what makes a customer be judged again")


@router.post("/v1/audience-estimates", summary="Estimate an audience")
async def estimate(body: AudienceRequest, parts: Parts) -> Estimate:
    """How many customers a definition would have now, published or not."""
    sound = checked(None, body, await catalog_of(parts.pool))
    query = query_of(sound.audience, parts.clock.now())
    async with parts.pool.acquire() as connection, connection.transaction():
        await evaluation.make_room(connection)
        size = await evaluation.count(connection, query)
        customers = await evaluation.customers(connection)
    return Estimate(size=size, customers=customers, warnings=sound.warnings)


@router.post("/v1/audience-plans", summary="Explain an audience")
async def explain(body: PlanRequest, parts: Parts) -> QueryPlan:
    """How the members of a definition are found, and what has a customer judged again."""
    catalog = await catalog_of(parts.pool)
    sound = checked(None, body, catalog)
    query = query_of(sound.audience, parts.clock.now())
    async with parts.pool.acquire() as connection, connection.transaction():
        await evaluation.make_room(connection)
        steps = await evaluation.plan(connection, query, measure=body.measure)
    return QueryPlan(
        statement=query.text,
        parameters=tuple(map(plain, query.parameters)),
        plan=tuple(steps),
        watches=tuple(watches(sound.audience)),
    )


def watches(audience: AnyAudience) -> list[str]:
    """What makes a customer be judged again, as text."""
    condition = judged(audience)
    if condition is None:
        return ["the list itself" if audience.condition is None else "every hour: it is ranked"]
    said = sorted(f"{kind} {name}" for kind, name in watched_by(condition.needs))
    if not is_derivable(condition):
        said.append("every hour: time changes it in a way not foreseen")
    return said


def plain(value: object) -> JsonValue:
    """A parameter as it is shown."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return [plain(one) for one in value] if isinstance(value, list) else str(value)
