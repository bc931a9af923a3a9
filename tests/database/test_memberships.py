"""Rule 5 in Postgres: memberships follow a merge, and nothing of an erased customer stays."""

from datetime import timedelta
from uuid import uuid4

import pytest

from journeys.identity import CustomerId
from routing.identify import identify
from storage import customers, erasure, members, merges, news, subscriptions
from storage.pool import Pool
from tests.http.sharing_app import NOW, join, leave, person
from tests.live.system import event

pytestmark = pytest.mark.slow  # some seconds together

TABLES = (
    "audience_members", "audience_changes", "audience_checks", "audience_queue",
    "audience_notices", "subscription_retries",
)  # fmt: skip
HOUR = timedelta(hours=1)


async def subscribed(db: Pool, *names: str) -> subscriptions.Subscription:
    return await subscriptions.add(db, uuid4(), "http://x", names, "standard", b"secret", NOW)


async def merge(db: Pool, loser: CustomerId, winner: CustomerId) -> None:
    async with db.acquire() as connection, connection.transaction():
        await merges.lock(connection, loser, winner)
        await merges.move(connection, loser, winner)
        await merges.move_memberships(connection, loser, winner, NOW + 5 * HOUR)


async def told(db: Pool, to: subscriptions.Subscription) -> list[tuple[str, bool, set[str]]]:
    """Audience, joined, and the customer's ids, of everything that is new to a subscriber."""
    found, _ = await news.page(db, to.position, to.audiences, 100)
    return [(one.audience, one.joined, {id.value for id in one.ids}) for one in found]


async def test_a_merged_customer_is_in_what_either_was_in_since_the_earlier_time(
    db: Pool,
) -> None:
    ada, visitor = await person(db, "ada"), await person(db, "a-1", "anonymous_id")
    await join(db, ada, "both", at=NOW + HOUR)
    await join(db, ada, "hers", at=NOW + HOUR)
    await join(db, visitor, "both", "its", at=NOW)

    await merge(db, visitor, ada)

    inside = await members.of_customer(db, ada)
    assert {one.audience: one.joined_at for one in inside} == {
        "both": NOW, "hers": NOW + HOUR, "its": NOW,
    }  # fmt: skip
    assert await members.of_customer(db, visitor) == []


async def test_a_merge_leaves_the_past_as_it_was(db: Pool) -> None:
    ada, visitor = await person(db, "ada"), await person(db, "a-1", "anonymous_id")
    await join(db, ada, "both", at=NOW + HOUR)
    await join(db, visitor, "both", "its", at=NOW)

    await merge(db, visitor, ada)

    assert await members.listed_at(db, "both", NOW + HOUR / 2) == [visitor]
    assert await members.listed_at(db, "both", NOW + 2 * HOUR) == sorted([ada, visitor])
    assert await members.listed_at(db, "both", NOW + 6 * HOUR) == [ada]
    assert await members.listed_at(db, "its", NOW + 6 * HOUR) == [ada]
    changes = [(one.audience, one.joined) for one in await members.changes_of(db, ada)]
    assert changes == [("its", True), ("both", True)]


async def test_subscribers_learn_that_a_merged_customer_is_in_under_all_ids(
    db: Pool,
) -> None:
    ada, visitor = await person(db, "ada"), await person(db, "a-1", "anonymous_id")
    await join(db, ada, "hers", "unwatched")
    await join(db, visitor, "its")
    to = await subscribed(db, "hers", "its")

    await merge(db, visitor, ada)

    ids = {"ada", "a-1"}
    found = await told(db, to)
    assert [one for one in found if one[0] == "its"] == [("its", False, set()), ("its", True, ids)]
    assert [one for one in found if one[0] != "its"] == [("hers", True, ids)]


async def test_what_time_and_queues_hold_follows_a_merge(db: Pool) -> None:
    ada, visitor = await person(db, "ada"), await person(db, "a-1", "anonymous_id")
    for who, at in ((ada, NOW + HOUR), (visitor, NOW)):
        await db.execute("INSERT INTO audience_checks VALUES ($1, $2)", who, at)
    await db.execute(
        "INSERT INTO audience_queue (customer, audiences) VALUES ($1, '{late}')", visitor
    )

    await merge(db, visitor, ada)

    assert [tuple(row) for row in await db.fetch("SELECT customer, at FROM audience_checks")] == [
        (ada, NOW)
    ]
    assert await db.fetchval("SELECT customer FROM audience_queue") == ada


async def erased(db: Pool, customer: CustomerId) -> None:
    async with db.acquire() as connection, connection.transaction():
        await erasure.say_goodbye(connection, customer, NOW + HOUR)
        await erasure.erase(connection, customer)


async def test_an_erased_customer_is_in_no_table_of_audiences(db: Pool) -> None:
    ada, visitor, bob = await person(db, "ada"), await person(db, "v"), await person(db, "bob")
    await join(db, visitor, "loyal")
    await merge(db, visitor, ada)
    to = await subscribed(db)
    for one in (ada, bob):
        await join(db, one, "new")
        await db.execute("INSERT INTO audience_checks VALUES ($1, $2)", one, NOW)
        await db.execute("INSERT INTO audience_queue (customer, audiences) VALUES ($1, '{}')", one)
    [first, *_] = (await news.page(db, to.position, (), 100))[0]
    await db.execute(
        "INSERT INTO subscription_retries VALUES ($1, $2, $3, $4, 1, now(), now())",
        to.id,
        *first.position,
        ada,
    )

    await erased(db, ada)
    await subscriptions.remove(db, to.id)
    await db.execute("UPDATE audience_notices SET written_at = now() - interval '1 hour'")
    await news.purge_notices(db)

    for table in TABLES:
        rows = await db.fetch(f"SELECT customer FROM {table}")
        assert {row["customer"] for row in rows} <= {bob}, table
    assert await members.listed(db, "new") != []


async def test_subscribers_are_told_that_the_erased_left_by_the_ids_it_had(
    db: Pool,
) -> None:
    ada = await person(db, "ada")
    await join(db, ada, "before")
    await leave(db, ada, "before")
    to = await subscribed(db)
    await join(db, ada, "loyal", "gone")
    await leave(db, ada, "gone")

    await erased(db, ada)

    assert await told(db, to) == [("gone", False, {"ada"}), ("loyal", False, {"ada"})]
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM external_ids)")


async def test_ids_of_the_erased_are_kept_until_they_were_told_and_no_longer(
    db: Pool,
) -> None:
    ada = await person(db, "ada")
    await join(db, ada, "loyal", "unwatched")
    to = await subscribed(db, "loyal")

    await erased(db, ada)

    held = "SELECT audience FROM audience_notices WHERE ids IS NOT NULL"
    assert [row["audience"] for row in await db.fetch(held)] == ["loyal"]
    await db.execute("UPDATE audience_notices SET written_at = now() - interval '1 hour'")
    await news.purge_notices(db)
    assert [row["audience"] for row in await db.fetch(held)] == ["loyal"]
    _, end = await news.page(db, to.position, (), 100)
    await db.execute("UPDATE subscriptions SET transaction = $1, seq = $2", *end)
    await news.purge_notices(db)
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM audience_notices)")


async def test_routing_a_link_moves_the_audiences_of_the_visitor(db: Pool) -> None:
    await person(db, "a-1", "anonymous_id")
    visitor = await customers.by_external_id(db, "a-1")
    assert visitor is not None
    await join(db, visitor.id, "its")
    await person(db, "ada")
    linking = event("Signed Up", "ada", anonymous="a-1")

    resolved = await identify(db, [linking], b"secret", NOW + HOUR)

    inside = await members.of_customer(db, resolved.customers[linking.id])
    assert [(one.audience, one.joined_at) for one in inside] == [("its", NOW)]
