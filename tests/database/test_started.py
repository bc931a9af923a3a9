"""Saying that instances have started waits for nobody who holds them, and a visit says it too."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

from storage import instances, moves, trail
from storage.pool import Pool
from storage.trail import Visit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def entered(pool: Pool) -> UUID:
    """An instance that nobody has started."""
    id = uuid4()
    await instances.register(
        pool,
        [
            {
                "id": id,
                "journey": "welcome",
                "version": 1,
                "customer": uuid4(),
                "workflow_id": f"welcome/{id}",
                "entry_event": uuid4(),
                "entry": {},
                "entered_at": NOW,
                "position": "hello",
            }
        ],
    )
    return id


async def started(pool: Pool, id: UUID) -> bool:
    """Whether it is said to have started."""
    found = await instances.get(pool, id)
    assert found is not None
    return found.started


async def test_who_is_held_is_not_waited_for_and_starts_with_its_first_visit(db: Pool) -> None:
    free, held = await entered(db), await entered(db)

    async with db.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM instances WHERE id = $1 FOR SHARE", held)
        async with asyncio.timeout(2):
            await moves.mark_started(db, [free, held])
        assert await started(db, free)
        assert not await started(db, held)

    await trail.write(db, [Visit(held, NOW, 1, "hello", NOW, NOW, "waited", position="next")])
    assert await started(db, held)
