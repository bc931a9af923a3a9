"""Imports in Postgres: what is remembered, whom rows lead to, and writers that meet."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from api.matching import hold, patiently
from audiences.definition import AUDIENCE
from audiences.imports.options import Options
from journeys.identity import CustomerId, ExternalId
from storage import attributes, audiences, customers, external_ids, import_members, imports, merges
from storage.customers import Written
from storage.imports import Chunk, Counts
from storage.pool import Db, Pool

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def person(db: Pool, *ids: ExternalId) -> CustomerId:
    customer = CustomerId(uuid4())
    await customers.create(db, [customer], NOW)
    await external_ids.link(db, dict.fromkeys(ids, customer), NOW)
    return customer


async def begun(db: Pool) -> CustomerId:
    audience = AUDIENCE.validate_python({"audience": "newsletter", "kind": "list"})
    await audiences.publish(db, audience, "h", NOW)
    id = CustomerId(uuid4())
    assert await imports.start(db, id, "newsletter", Options(file="a"), NOW)
    return id


async def test_of_two_who_take_one_chunk_one_waits_and_lets_it_be(db: Pool) -> None:
    id = await begun(db)
    async with db.acquire() as one, db.acquire() as two:
        turn = one.transaction()
        await turn.start()
        assert await imports.claim(one, id, 0, b"x")
        second = asyncio.create_task(imports.claim(two, id, 0, b"x"))
        await asyncio.sleep(0.1)
        assert not second.done()
        await imports.remember(one, id, Chunk(0, b"x", Counts(created=1)))
        await turn.commit()

        assert not await second


async def test_no_chunk_is_taken_of_a_list_that_is_gone(db: Pool) -> None:
    id = await begun(db)
    await audiences.delete(db, ["newsletter"], NOW)

    assert not await imports.claim(db, id, 0, b"x")


async def test_old_imports_are_forgotten_with_all_that_hangs_on_them(db: Pool) -> None:
    id = await begun(db)
    await imports.claim(db, id, 0, b"x")
    await import_members.name(db, id, [uuid4()])

    await imports.forget(db, NOW)
    assert await imports.get(db, "newsletter", id) is not None
    await imports.forget(db, NOW + timedelta(seconds=1))

    for table in ("imports", "import_chunks", "import_members"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_name_is_a_user_id_before_all_else(db: Pool) -> None:
    ada = await person(db, ExternalId("user_id", "x"))
    bob = await person(db, ExternalId("anonymous_id", "x"), ExternalId("anonymous_id", "y"))
    cy = await person(db)
    await merges.move(db, cy, bob)

    found = await external_ids.named(db, ["x", "y", str(ada), str(cy), "z", str(uuid4())])

    assert found == {"x": ada, "y": bob, str(ada): ada, str(cy): bob}


async def test_whoever_is_merged_meanwhile_is_looked_up_again(db: Pool) -> None:
    ada = await person(db, ExternalId("user_id", "ada"))
    bob = await person(db, ExternalId("user_id", "bob"))
    tries = 0

    async def work(connection: Db) -> CustomerId:
        nonlocal tries
        tries += 1
        found, _ = await external_ids.owners(connection, "user_id", ["ada"], b"")
        if tries == 1:
            await merges.move(db, ada, bob)
        await hold(connection, found.values())
        return found["ada"]

    assert await patiently(db, work) == bob
    assert tries == 2


async def test_of_two_writers_who_meet_the_later_instant_wins(db: Pool) -> None:
    ada = await person(db)
    async with db.acquire() as connection:
        turn = connection.transaction()
        await turn.start()
        await customers.write(connection, [Written(ada, {"tier": "late"}, {"tier": 20.0})])
        early = Written(ada, {"tier": "early", "city": "Rome"}, {"tier": 10.0, "city": 10.0})
        waiting = asyncio.create_task(customers.write(db, [early]))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await turn.commit()
    await waiting

    row = await customers.get(db, ada)
    assert row is not None
    assert row.attributes == {"tier": "late", "city": "Rome"}


@pytest.mark.parametrize("name", ["email", "phone", "city"])
async def test_owners_of_an_attribute_are_found_whether_it_has_an_index_or_not(
    db: Pool, name: str
) -> None:
    long = "x" * 50_000  # more than an index of Postgres can hold
    ada, bob, cy, dan = [await person(db) for _ in range(4)]
    for one, value in ((ada, "a"), (bob, "both"), (cy, "both"), (dan, long)):
        await customers.write(db, [Written(one, {name: value}, {name: 1.0})])
    await merges.move(db, cy, await person(db))

    found = await attributes.owners(db, name, ["a", "both", long, "A", "nobody"])

    assert found["a"] == [ada]
    assert found[long] == [dan]
    assert len(found["both"]) == 2
    assert found.keys() == {"a", "both", long}


async def test_an_address_is_looked_up_by_its_index(db: Pool) -> None:
    async with db.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetch(
            """
            EXPLAIN SELECT c.id FROM customers c JOIN unnest($1::text[]) AS w (value)
                ON c.email_hash = hashtextextended(w.value, 0)
            """,
            ["a"],
        )

    assert any("customers_email" in row[0] for row in plan)
