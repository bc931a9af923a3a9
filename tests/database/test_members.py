"""Audiences in Postgres: versions, and members with their changes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from audiences.definition import AUDIENCE
from journeys.identity import CustomerId
from storage import audiences, members
from storage.members import Change
from storage.pool import Pool

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def test_publishing_the_same_again_makes_no_version(db: Pool) -> None:
    loyal = AUDIENCE.validate_python({"audience": "loyal", "kind": "rule", "when": "true"})

    assert await audiences.publish(db, loyal, "a", NOW) == (1, True)
    assert await audiences.publish(db, loyal, "a", NOW) == (1, False)
    assert await audiences.publish(db, loyal, "b", NOW) == (2, True)
    assert [row.definition for row in await audiences.listed(db)] == [loyal]


async def test_a_change_counts_once_and_any_past_instant_can_be_asked(db: Pool) -> None:
    ada, bob = (CustomerId(uuid4()) for _ in "ab")
    later = NOW + timedelta(hours=1)

    first = [Change("loyal", one, joined=True, at=NOW, why={"of": "ever"}) for one in (ada, bob)]
    assert len(await members.change(db, [*first, *first])) == 2
    left = Change("loyal", bob, joined=False, at=later)
    assert await members.change(db, [first[0], left]) == {("loyal", bob)}

    assert [one.customer for one in await members.listed(db, "loyal")] == [ada]
    assert await members.listed_at(db, "loyal", NOW + timedelta(minutes=1)) == sorted([ada, bob])
    assert await members.listed_at(db, "loyal", NOW - timedelta(minutes=1)) == []
    assert [one.joined for one in await members.changes_of(db, bob)] == [False, True]
