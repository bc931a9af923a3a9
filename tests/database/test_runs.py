"""Runs in Postgres: once, page by page, and forgotten in time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from storage import business_events, progress, runs
from storage.pool import Pool
from storage.runs import Run

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def made(db: Pool, id: UUID | None = None) -> Run:
    async with db.acquire() as connection, connection.transaction():
        return await runs.create(
            connection, id or uuid4(), "j", 1, "run/j", "schedule", "loyal", NOW, {}
        )


async def test_an_occurrence_makes_one_run(db: Pool) -> None:
    first = await made(db)

    assert await made(db, first.id) == first
    assert await db.fetchval("SELECT count(*) FROM runs") == 1


async def test_of_two_who_are_at_one_page_the_first_moves_the_run(db: Pool) -> None:
    run = await made(db)

    assert await progress.advance(db, run, uuid4(), 5, 4, 1)
    assert not await progress.advance(db, run, uuid4(), 5, 4, 1)
    assert not await progress.claim(db, run)
    now = await runs.get(db, run.id)
    assert now is not None
    assert await progress.claim(db, now)
    assert (now.reached, now.entered, now.refused) == (5, 4, 1)


async def test_what_ended_a_run_first_stays(db: Pool) -> None:
    run = await made(db)

    await runs.end(db, run.id, NOW, "cancelled", "asked for")
    await runs.end(db, run.id, NOW, "done")

    ended = await runs.get(db, run.id)
    assert ended is not None
    assert (ended.state, ended.why) == ("cancelled", "asked for")
    assert not await progress.claim(db, ended)


@pytest.mark.parametrize(("age", "kept"), [(timedelta(days=1), 2), (timedelta(days=500), 1)])
async def test_old_runs_are_forgotten_but_the_last_says_who_is_new(
    db: Pool, age: timedelta, kept: int
) -> None:
    for _ in range(2):
        run = await made(db)
        await db.execute("SELECT pg_current_xact_id()")  # somebody else writes in between
        await runs.end(db, run.id, NOW - age, "done")

    await business_events.forget(db, NOW - timedelta(days=400))

    rows = await runs.listed(db, "j", None, 9)
    assert len(rows) == kept
    assert run.id in {row.id for row in rows}
