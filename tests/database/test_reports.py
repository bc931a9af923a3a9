"""Counting what became of everybody in a journey."""

from datetime import timedelta

from storage import journeys, moves, reports
from storage.moves import Nudged
from storage.pool import Pool
from storage.reports import Exit, Place, Refusals
from tests.http.reading_app import CART, NOW, Story


async def publish(db: Pool) -> None:
    await journeys.publish(db, "cart", "hash", CART, {}, NOW)


async def test_a_journey_nobody_entered_counts_nothing(db: Pool) -> None:
    await publish(db)

    totals = await reports.totals(db, "cart")

    assert (totals.entered, totals.inside, totals.first, totals.median) == (0, 0, None, None)
    assert await reports.standings(db) == {"cart": (0, 0)}


async def test_places_tell_who_stands_there_from_who_was_ended_there(db: Pool) -> None:
    await publish(db)
    ada, bob = await Story(db, "ada").begin(), await Story(db, "bob").begin()
    await ada.enter(await ada.event("Checkout Started"))
    gone = await bob.enter(await bob.event("Checkout Started"))
    order = await bob.event("Order Completed", timedelta(hours=1))
    at = NOW + timedelta(hours=1)
    await moves.exit(db, [Nudged(gone, order, at, {"event": "Order Completed"})])
    await moves.meet_goals(db, [(gone, order, at)])

    assert set(await reports.places(db, "cart")) == {
        Place("settle", None, 1), Place("settle", "exited", 1),
    }  # fmt: skip
    assert await reports.outcomes(db, "cart") == {"exited": 1}
    assert await reports.versions(db, "cart") == {1: 2}
    totals = await reports.totals(db, "cart")
    assert (totals.entered, totals.inside, totals.goals, totals.median) == (2, 1, 1, 3600.0)


async def test_exits_and_refusals_are_counted(db: Pool) -> None:
    await publish(db)
    for name in ("ada", "bob"):
        one = await Story(db, name).begin()
        await one.wait_and_send(await one.enter(await one.event("Checkout Started")))
        await one.refuse(await one.event("Checkout Started"), 12.5)

    assert await reports.exits(db, "cart") == [
        Exit("reminder", "sent", 2), Exit("settle", "waited", 2),
    ]  # fmt: skip
    assert await reports.refusals(db, "cart") == [
        Refusals("condition", "event.total > 20.0", None, 2, 2)
    ]
