"""Members found at once are written once, and are told of as if they had joined singly."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from journeys.identity import CustomerId
from storage import audiences, erasure, evaluation, joinings, members, news, sizes, timeline
from storage.evaluation import Query
from storage.members import Change
from storage.news import News
from storage.pool import Pool
from storage.reach import Reach, page
from tests.database.test_memberships import merge
from tests.database.test_runs import made
from tests.http.sharing_app import NOW, person

pytestmark = pytest.mark.slow  # some seconds together

HOUR = timedelta(hours=1)
WHY = {"found": "version 1"}


async def find(db: Pool, customers: Collection[CustomerId], hours: int = 0) -> int:
    query = Query("SELECT unnest($1::uuid[]) AS id", [list(customers)])
    return await evaluation.find(db, "rich", query, [], NOW + hours * HOUR, WHY)


async def told(db: Pool) -> list[News]:
    found, _ = await news.page(db, (0, 0), [], 100)
    return [replace(one, ids=()) for one in found]


async def inside_at(db: Pool, hours: float) -> set[CustomerId]:
    return set(await members.listed_at(db, "rich", NOW + hours * HOUR))


async def written(db: Pool) -> int:
    count: int = await db.fetchval("SELECT count(*) FROM audience_changes")
    return count


async def test_first_members_are_in_the_past_and_in_the_news(db: Pool) -> None:
    ada, bob = await person(db, "ada"), await person(db, "bob")

    assert await find(db, [ada, bob]) == 2

    assert await written(db) == 0
    assert await members.changes_of(db, ada) == [Change("rich", ada, True, NOW, WHY)]
    assert {(one.customer, one.joined, one.at) for one in await told(db)} == {
        (ada, True, NOW), (bob, True, NOW),
    }  # fmt: skip
    assert await inside_at(db, -1) == set()
    assert await inside_at(db, 1) == {ada, bob}
    [day] = await sizes.by_day(db, "rich", NOW, NOW)
    assert (day.size, day.joined, day.left) == (2, 2, 0)
    assert await news.before(db, NOW) is not None


async def test_those_found_later_are_written_as_changes(db: Pool) -> None:
    ada, bob = await person(db, "ada"), await person(db, "bob")
    await find(db, [ada])

    assert await find(db, [ada, bob], hours=1) == 1

    assert await written(db) == 1
    assert [one.customer for one in await told(db)] == [ada, bob]


@pytest.mark.parametrize("way", ["one by one", "by hand", "found out", "deleted"])
async def test_whoever_leaves_had_joined(db: Pool, way: str) -> None:
    ada, bob = await person(db, "ada"), await person(db, "bob")
    await find(db, [ada, bob])
    before = await told(db)

    match way:
        case "one by one":
            await members.change(db, [Change("rich", ada, False, NOW + HOUR, {})])
        case "by hand":
            await members.leave(db, "rich", [ada], NOW + HOUR, {})
        case "found out":
            await find(db, [bob], hours=1)
        case "deleted":
            await audiences.delete(db, ["rich"], NOW + HOUR)

    changes = await members.changes_of(db, ada)
    assert [(one.joined, one.at) for one in changes] == [(False, NOW + HOUR), (True, NOW)]
    assert changes[1].why == WHY
    assert (await told(db))[:2] == before
    assert await inside_at(db, 0.5) == {ada, bob}
    assert await inside_at(db, 2) == (set() if way == "deleted" else {bob})


@pytest.mark.parametrize(("loser", "winner"), [(0, 1), (1, 0), (0, None), (None, 0)])
async def test_a_merge_leaves_the_past_of_those_found_as_it_was(
    db: Pool, loser: int | None, winner: int | None
) -> None:
    ada, visitor = await person(db, "ada"), await person(db, "a-1", "anonymous_id")
    joined = {who: at for who, at in ((visitor, loser), (ada, winner)) if at is not None}
    for who, at in sorted(joined.items(), key=lambda one: one[1]):
        if at:
            await members.join(db, "rich", [who], NOW + at * HOUR, {})
        else:
            await find(db, [who])
    before = await told(db)

    await merge(db, visitor, ada)

    assert (await told(db))[: len(before)] == before
    assert await inside_at(db, 0.5) == {who for who, at in joined.items() if at == 0}
    assert await inside_at(db, 2) == set(joined)
    assert await inside_at(db, 6) == {ada}
    [inside] = await members.of_customer(db, ada)
    assert inside.joined_at == NOW


async def test_a_merged_winner_that_was_found_later_joined_twice_over(db: Pool) -> None:
    ada, visitor = await person(db, "ada"), await person(db, "a-1", "anonymous_id")
    await find(db, [ada], hours=1)
    await members.join(db, "rich", [visitor], NOW, {"key": "k"})
    before = {one.position for one in await told(db)}

    await merge(db, visitor, ada)
    await members.leave(db, "rich", [ada], NOW + 6 * HOUR, {})

    assert [(one.joined, one.at) for one in await members.changes_of(db, ada)] == [
        (False, NOW + 6 * HOUR), (True, NOW + HOUR),
    ]  # fmt: skip
    assert before <= {one.position for one in await told(db)}


async def test_those_found_are_new_to_a_run(db: Pool) -> None:
    ada, bob = await person(db, "ada"), await person(db, "bob")
    run = await made(db)
    marks = "UPDATE runs SET new_since = $2, new_until = $3 WHERE id = $1"
    start = await db.fetchval("SELECT pg_current_xact_id()")
    await find(db, [ada])
    middle = await db.fetchval("SELECT pg_current_xact_id()")
    await find(db, [ada, bob])
    end = await db.fetchval("SELECT pg_current_xact_id()")
    reach = Reach("rich", only_new=True)

    await db.execute(marks, run.id, start, middle)
    first = await page(db, run.id, reach, None, 10)
    await db.execute(marks, run.id, middle, end)
    second = await page(db, run.id, reach, None, 10)

    assert list(first) == [ada]
    assert list(second) == [bob]


async def test_nothing_of_an_erased_customer_stays_in_the_history(db: Pool) -> None:
    ada = await person(db, "ada")
    await find(db, [ada])

    await erasure.erase(db, ada)

    assert await db.fetchval("SELECT count(*) FROM audience_history") == 0


async def test_an_export_shows_what_was_found_as_membership_and_as_change(db: Pool) -> None:
    ada = await person(db, "ada")
    await find(db, [ada])

    everything = await timeline.everything(db, ada)
    [line] = await timeline.lines(db, ada, "newest", None, 10)

    assert set(everything["memberships"][0]) == {"audience", "joined_at", "why"}
    assert [one["joined"] for one in everything["membership_changes"]] == [True]
    assert (line.kind, line.state, line.at) == ("membership", "joined", NOW)


async def test_joinings_older_than_the_retention_are_forgotten_once_they_end(db: Pool) -> None:
    ada = await person(db, "ada")
    long_ago = -24 * 365 * 3
    await find(db, [ada], hours=long_ago)
    await members.leave(db, "rich", [ada], NOW, {})

    await joinings.forget(db, NOW - HOUR)

    assert [one.joined for one in await members.changes_of(db, ada)] == [False]
