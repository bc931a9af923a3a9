"""Audiences with members, for live tests of runs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from journeys.identity import CustomerId, ExternalId
from routing.occasions import requested
from storage import customers, external_ids, journeys, members
from storage.customers import Written
from storage.members import Change
from storage.pool import Pool
from tests.live.system import System
from workflows.run import RunStart

REST = {"id": "rest", "kind": "wait", "duration": "30d"}


async def people(db: Pool, count: int) -> list[CustomerId]:
    """Customers called u0, u1, …"""
    made = [CustomerId(uuid4()) for _ in range(count)]
    now = datetime.now(UTC)
    await customers.create(db, made, now)
    links = {ExternalId("user_id", f"u{number}"): one for number, one in enumerate(made)}
    await external_ids.link(db, links, now)
    return made


async def learn(db: Pool, customer: UUID, **attributes: Any) -> None:
    """It has these attributes from now on."""
    times = dict.fromkeys(attributes, datetime.now(UTC).timestamp())
    await customers.write(db, [Written(CustomerId(customer), attributes, times)])


async def join(db: Pool, audience: str, *who: UUID) -> None:
    """They are members from now on."""
    await change(db, audience, who, joined=True)


async def leave(db: Pool, audience: str, *who: UUID) -> None:
    """They are none any more."""
    await change(db, audience, who, joined=False)


async def change(db: Pool, audience: str, who: tuple[UUID, ...], *, joined: bool) -> None:
    now = datetime.now(UTC)
    await members.change(
        db, [Change(audience, CustomerId(one), joined=joined, at=now) for one in who]
    )


def scheduled(name: str, **fields: Any) -> dict[str, Any]:
    """A journey whose members enter by a schedule, and rest."""
    entry = {"audience": "loyal", "schedule": {"cron": "0 3 * * *", **fields}}
    return {"journey": name, "entry": entry, "steps": [REST]}


def soon(seconds: float = 3) -> str:
    """A local time in UTC that is almost now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


async def begun(live: System, journey: str) -> UUID:
    """A run that somebody asked for, before any worker has come to it."""
    round, id = await live.round(), uuid4()
    row = await journeys.get(live.pool, journey)
    assert row is not None
    plan = await round.registry.plan(live.pool, journey, row.version)
    async with live.pool.acquire() as connection, connection.transaction():
        run = await requested(connection, id, plan, datetime.now(UTC))
    await round.engine.begin(run.workflow_id, RunStart(journey=journey, run=run.id))
    return run.id
