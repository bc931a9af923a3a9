"""Whom a run enters: once, by ids that follow from the run, and with what it was decided by."""

from uuid import uuid4

from journeys.entering import instance_id
from journeys.running import entry_event
from storage import customers, instances, merges, moves, newcomers, reach
from storage.pool import Pool
from storage.reach import Reach
from tests.database.broadcasts import NOW, Broadcast, column, people


async def test_who_enters_bears_the_ids_that_follow_from_the_run(db: Pool) -> None:
    news, [ada, bob] = await Broadcast.begun(db), await people(db, 2)

    entered = await news.enter([ada, bob])

    events = [entry_event(news.run.id, one, {}, NOW).id for one in (ada, bob)]
    assert [one.id for one in entered] == [instance_id("news", event) for event in events]
    row = await instances.get(db, entered[0].id)
    assert row is not None
    assert (row.customer, row.entry_event, row.entry, row.run) == (ada, events[0], {"n": 1},
                                                                  news.run.id)  # fmt: skip
    assert (row.workflow_id, row.position, row.key, row.why) == (f"news/{ada}", "news", None, None)
    assert row.paged
    assert row.started


async def test_a_key_and_a_condition_are_each_customers_own(db: Pool) -> None:
    news = await Broadcast.begun(db, key="customer.plan", when="customer.plan != 'none'")
    page = await people(db, 4)
    plans = ("pro", "free", "none", None)
    for one, plan in zip(page, plans, strict=True):
        if plan is not None:
            await db.execute(
                "UPDATE customers SET attributes = $2 WHERE id = $1", one, {"plan": plan}
            )

    entered = await news.enter(page)

    ids = [one.id for one in entered]
    assert await column(db, "instances", "key", ids) == ["pro", "free"]
    whys = await column(db, "instances", "why", ids)
    assert [why["values"] for why in whys] == [{"customer.plan": "pro"}, {"customer.plan": "free"}]
    assert await db.fetchval("SELECT count(*) FROM refusals") == 2


async def test_who_is_inside_is_refused_and_the_others_enter(db: Pool) -> None:
    news, [ada, bob] = await Broadcast.begun(db), await people(db, 2)
    await news.enter([ada])
    first, news = news, await Broadcast.begun(db)

    entered = await news.enter([ada, bob])

    assert [one.customer for one in entered] == [bob]
    assert await db.fetchval("SELECT reason FROM refusals") == "inside"
    assert first.run.id != news.run.id


async def test_who_lost_to_an_open_instance_is_left_out_and_the_others_are_in(db: Pool) -> None:
    news, page = await Broadcast.begun(db), await people(db, 3)
    entered = await news.enter(page)
    await moves.end(db, [entered[2].id], NOW, "exited")
    again = [(one, None) for one in entered]
    for one in entered:
        one.id = uuid4()

    async with db.acquire() as connection, connection.transaction():
        new = await newcomers.register(connection, news.plan, news.run.id, again, paged=True)

    assert [one.customer for one in new] == [page[2]]


async def test_who_was_merged_with_another_of_the_run_does_not_enter_again(db: Pool) -> None:
    news, [ada, bob] = await Broadcast.begun(db), await people(db, 2)
    await news.enter([ada])
    await merges.move(db, ada, bob)

    assert await news.enter([bob]) == []


async def test_pages_go_by_id_and_leave_out_whoever_is_nobody_any_more(db: Pool) -> None:
    news, page = await Broadcast.begun(db), await people(db, 6)
    await db.execute(
        "INSERT INTO audience_members (audience, customer, joined_at) "
        "SELECT 'loyal', id, now() FROM customers WHERE id <> $1", page[5],
    )  # fmt: skip
    await merges.move(db, page[1], page[0])
    await db.execute("UPDATE customers SET erased_at = now() WHERE id = $1", page[3])

    for audience, last in (("loyal", []), (None, [page[5]])):
        whom = Reach(audience)
        first = await reach.page(db, news.run.id, whom, None, 2)
        assert list(first) == [page[0], page[2]]
        assert list(await reach.page(db, news.run.id, whom, page[2], 9)) == [page[4], *last]
    assert await customers.locked(db, [page[0]], [])
