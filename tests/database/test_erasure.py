"""Erasing takes one customer's rows, all of them, and nobody else's."""

from journeys.identity import ExternalId
from storage import consent, erasure, events, external_ids, journeys, timeline
from storage.pool import Pool
from tests.http.reading_app import CART, NOW, SECRET, Story

TABLES = ("customers", "external_ids", "events", "instances", "trail", "messages", "refusals",
          "unsubscriptions")  # fmt: skip


async def lived(db: Pool, name: str) -> Story:
    one = await Story(db, name).begin()
    await one.wait_and_send(await one.enter(await one.event("Checkout Started", total=80.5)))
    await one.refuse(await one.event("Checkout Started", total=12.5), 12.5)
    await consent.unsubscribe(db, one.customer, "email", "*", NOW)
    return one


async def counts(db: Pool) -> dict[str, int]:
    return {table: await db.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def test_erasing_one_leaves_the_other_whole(db: Pool) -> None:
    await journeys.publish(db, "cart", "hash", CART, {}, NOW)
    await lived(db, "bob")
    before = await counts(db)
    ada = await lived(db, "ada")

    await erasure.erase(db, ada.customer)

    assert await counts(db) == before


async def test_a_tombstone_says_when_and_holds_no_id(db: Pool) -> None:
    ada = await Story(db).begin()

    await erasure.bury(db, ada.customer, SECRET, NOW)
    await erasure.erase(db, ada.customer)

    id = ExternalId("user_id", "ada")
    _, erased = await external_ids.directory(db, [id, ExternalId("user_id", "bob")], SECRET)
    assert erased == {id: NOW}
    assert b"ada" not in await db.fetchval("SELECT hash FROM tombstones")


async def test_message_ids_outlive_their_customer(db: Pool) -> None:
    ada = await Story(db).begin()
    id = await ada.event("Checkout Started")
    found = await events.get(db, id)
    assert found is not None

    await erasure.erase(db, ada.customer)

    assert await events.insert(db, [found[0]]) == set()
    assert await timeline.lines(db, ada.customer, "newest", None, 10) == []
