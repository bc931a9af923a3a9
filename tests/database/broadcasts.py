"""A broadcast in Postgres, without mails: its journey, its run and who has entered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from clock import Clock
from journeys.effects import Inside
from journeys.identity import CustomerId
from journeys.plan import Plan
from routing.groups import enter_page
from routing.registry import Registry
from routing.round import Round
from storage import customers, journeys, runs
from storage.pool import Pool
from storage.runs import Run

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEWS: dict[str, Any] = {
    "journey": "news",
    "class": "marketing",
    "entry": {"audience": "loyal", "schedule": {"cron": "0 9 * * 1"}},
    "steps": [
        {"id": "news", "kind": "send", "channel": "email", "template": "news", "topic": "news"}
    ],
}
PARTS = {"subject": "News", "text": "Hello"}
TEMPLATES = {"news": {"name": "news", "channel": "email", "parts": PARTS}}


@dataclass
class Broadcast:
    """A run that is under way; `entry` changes how its journey is entered."""

    round: Round
    plan: Plan
    run: Run

    @classmethod
    async def begun(cls, db: Pool, **entry: object) -> "Broadcast":
        """A run of a journey that was just published."""
        definition = {**NEWS, "entry": {**NEWS["entry"], **entry}}
        await journeys.publish(db, "news", "hash", definition, TEMPLATES, NOW)
        round = Round(
            db, Registry(), cast("Any", None), Clock(), b"secret" * 6, timedelta(days=1)
        )  # fmt: skip
        plan = await round.registry.plan(db, "news", 1)
        async with db.acquire() as connection, connection.transaction():
            run = await runs.create(
                connection, uuid4(), "news", 1, "run/news", "schedule", "loyal", NOW, {"n": 1}
            )
        return cls(round, plan, run)

    async def enter(self, page: Sequence[CustomerId], at: datetime = NOW) -> list[Inside]:
        """Have these enter, as the run's next page."""
        found = await runs.get(self.round.pool, self.run.id)
        assert found is not None
        self.run = found
        entries = dict.fromkeys(page, found.entry)
        entered = await enter_page(self.round, found, self.plan, page, entries, at)
        assert entered is not None
        return entered


async def people(db: Pool, count: int) -> list[CustomerId]:
    """New customers, by id."""
    made = sorted(CustomerId(uuid4()) for _ in range(count))
    await customers.create(db, made, NOW)
    return made


async def column(db: Pool, table: str, name: str, ids: Sequence[UUID]) -> list[Any]:
    """A column of these rows, in their order."""
    rows = await db.fetch(f"SELECT id, {name} FROM {table} WHERE id = ANY ($1)", list(ids))
    found = {row["id"]: row[name] for row in rows}
    return [found.get(id) for id in ids]
