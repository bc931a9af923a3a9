"""Keys are kept as hashes and recognised at once."""

from datetime import UTC, datetime

from storage import keys
from storage.pool import Pool

NOW = datetime(2026, 11, 23, tzinfo=UTC)


async def test_a_key_is_accepted_for_its_kind_only(db: Pool) -> None:
    secret = keys.new_secret("write")
    async with db.acquire() as connection:
        await keys.add(connection, "write", "shop", secret, NOW)
        await keys.add(connection, "write", "shop", secret, NOW)
    known = keys.Keys(db)

    assert await known.accepts("write", secret)
    assert not await known.accepts("admin", secret)
    assert not await known.accepts("write", secret + "x")
    assert secret.encode() not in await db.fetchval("SELECT hash FROM keys")


async def test_a_removed_key_is_gone(db: Pool) -> None:
    async with db.acquire() as connection:
        await keys.add(connection, "admin", "old", "secret", NOW)
        await keys.remove(connection, "admin", "old")

    assert not await keys.Keys(db).accepts("admin", "secret")
