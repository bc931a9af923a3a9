"""How far runs are: page by page, and what of them waits to be begun or to go on."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from storage import instances
from storage.instances import Instance
from storage.pool import Db
from storage.runs import Run, run_of


async def begin(connection: Db, id: UUID, now: datetime, expected: int | None) -> None:
    """It is under way."""
    await connection.execute(
        """
        UPDATE runs SET started_at = $2, expected = $3 WHERE id = $1 AND started_at IS NULL
        """,
        id,
        now,
        expected,
    )


async def claim(connection: Db, run: Run) -> bool:
    """Hold the run's row until the transaction ends; False if it has moved on meanwhile."""
    return bool(
        await connection.fetchval(
            """
            SELECT true FROM runs
            WHERE id = $1 AND state = 'running' AND cursor IS NOT DISTINCT FROM $2
              AND leg IS NOT DISTINCT FROM $3
            FOR UPDATE
            """,
            run.id,
            run.cursor,
            run.leg,
        )
    )


async def advance(
    connection: Db, run: Run, cursor: UUID, reached: int, entered: int, refused: int
) -> bool:
    """A page is done; False if the run has moved on meanwhile."""
    return bool(
        await connection.fetchval(
            """
            UPDATE runs SET cursor = $4, held = false, reached = reached + $5,
                entered = entered + $6, refused = refused + $7
            WHERE id = $1 AND cursor IS NOT DISTINCT FROM $2 AND leg IS NOT DISTINCT FROM $3
            RETURNING true
            """,
            run.id,
            run.cursor,
            run.leg,
            cursor,
            reached,
            entered,
            refused,
        )
    )


async def enter_leg(connection: Db, run: Run, leg: datetime) -> None:
    """Go on, from the first customer, with the time zones in which it is time at `leg`."""
    await connection.execute(
        """
        UPDATE runs SET leg = $3, cursor = NULL WHERE id = $1 AND leg IS NOT DISTINCT FROM $2
        """,
        run.id,
        run.leg,
        leg,
    )


async def hold(connection: Db, id: UUID) -> None:
    """Its workflow waits to be told that it goes on."""
    await connection.execute("UPDATE runs SET held = true WHERE id = $1", id)


async def released(connection: Db, ids: Sequence[UUID]) -> None:
    """They were told."""
    await connection.execute("UPDATE runs SET held = false WHERE id = ANY ($1::uuid[])", list(ids))


async def resumable(connection: Db, limit: int) -> list[Run]:
    """Runs that wait though nothing holds them back any more, or that are over."""
    rows = await connection.fetch(
        """
        SELECT r.* FROM runs r JOIN journeys j ON j.name = r.journey
        WHERE r.held AND (r.ended_at IS NOT NULL
              OR r.state = 'running' AND (j.paused_at IS NULL OR j.closed_at IS NOT NULL))
        ORDER BY r.id LIMIT $1
        """,
        limit,
    )
    return [run_of(row) for row in rows]


async def unstarted(connection: Db, before: datetime, limit: int) -> list[Run]:
    """Made before `before`, and no workflow has begun."""
    rows = await connection.fetch(
        """
        SELECT * FROM runs WHERE ended_at IS NULL AND started_at IS NULL AND created_at < $1
        ORDER BY created_at LIMIT $2
        """,
        before,
        limit,
    )
    return [run_of(row) for row in rows]


async def known(connection: Db, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these runs there are."""
    rows = await connection.fetch("SELECT id FROM runs WHERE id = ANY ($1::uuid[])", list(ids))
    return {row["id"] for row in rows}


async def open_of_workflows(connection: Db, workflow_ids: Sequence[str]) -> list[Run]:
    """Runs of these workflows that are not over."""
    rows = await connection.fetch(
        "SELECT * FROM runs WHERE workflow_id = ANY ($1::text[]) AND ended_at IS NULL",
        list(workflow_ids),
    )
    return [run_of(row) for row in rows]


async def unstarted_instances(connection: Db, run: UUID, limit: int) -> list[Instance]:
    """Open instances that a run has registered and nobody has started."""
    rows = await connection.fetch(
        """
        SELECT * FROM instances WHERE run = $1 AND NOT started AND ended_at IS NULL
        ORDER BY id LIMIT $2
        """,
        run,
        limit,
    )
    return [instances.instance(row) for row in rows]
