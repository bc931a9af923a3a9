"""Who may enter: re-entry, keys, and two customers who become one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.live.system import System, event, working

SHORT = {"id": "settle", "kind": "split", "paths": {"a": 50, "b": 50}}
LONG = {
    "id": "await_it",
    "kind": "wait_for",
    "events": {"came": {"event": "Came"}},
    "timeout": "30d",
}


def journey(step: dict[str, Any], **entry: Any) -> dict[str, Any]:
    return {"journey": "gate", "entry": {"event": "Begun", **entry}, "steps": [step]}


async def refusals(live: System) -> list[str]:
    rows = await live.pool.fetch("SELECT reason FROM refusals WHERE journey = 'gate' ORDER BY at")
    return [row["reason"] for row in rows]


@pytest.mark.parametrize(
    ("reentry", "ago", "reasons"),
    [
        ("never", 400, ["reentry_never"]),
        ("after_exit", 0, []),
        ({"after": "7d"}, 6, ["reentry_too_soon"]),
        ({"after": "7d"}, 8, []),
    ],
)
async def test_reentry_counts_from_the_last_entry(
    live: System, reentry: Any, ago: int, reasons: list[str]
) -> None:
    await live.publish(journey(SHORT, reentry=reentry))

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        await live.pool.execute(
            """
            UPDATE instances
            SET entered_at = entered_at - $1::interval, ended_at = now() - $1::interval
            """,
            timedelta(days=ago),
        )
        await live.send("Begun", "u1")
        await live.routed()

        assert await refusals(live) == reasons
        assert len(await live.outcomes("gate")) == 2 - len(reasons)


async def test_never_means_never_across_versions(live: System) -> None:
    await live.publish(journey(SHORT, reentry="never"))

    async with working(live.settings):
        await live.send("Begun", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")
        await live.publish({**journey(SHORT, reentry="never"), "description": "another version"})
        await live.send("Begun", "u1")
        await live.routed()

        assert len(await live.outcomes("gate")) == 1
        assert await refusals(live) == ["reentry_never"]


async def test_customer_inside_does_not_enter_again(live: System) -> None:
    await live.publish(journey(LONG))

    async with working(live.settings):
        await live.store(event("Begun", "u1"), event("Begun", "u1"))
        await live.routed()

        assert await live.outcomes("gate") == [None]
        assert await refusals(live) == ["inside"]


async def test_each_key_has_an_instance_of_its_own_and_an_unknown_key_none(live: System) -> None:
    keyed = journey(
        {**LONG, "events": {"came": {"event": "Came", "when": "event.order == entry.order"}}},
        key="event.order",
    )
    await live.publish(keyed)

    async with working(live.settings):
        for order in ("o1", "o2", "o1"):
            await live.send("Begun", "u1", order=order)
        await live.send("Begun", "u1")
        await live.routed()
        await live.until("SELECT count(*) = 2 FROM instances WHERE wait_visit IS NOT NULL")
        await live.send("Came", "u1", order="o2")
        await live.until("SELECT outcome FROM instances WHERE key = 'o2'")

        assert await live.outcomes("gate") == [None, "completed"]
        assert await refusals(live) == ["inside", "key_unknown", "wait_condition"]
        assert not await live.pool.fetchval(
            "SELECT bool_or(workflow_id LIKE '%o1' OR workflow_id LIKE '%o2') FROM instances"
        )


async def test_late_event_enters_and_wakes_nothing(live: System) -> None:
    await live.publish(journey(SHORT))

    async with working(live.settings):
        await live.store(event("Begun", "u1", at=datetime.now(UTC) - timedelta(days=2)))
        await live.routed()

        assert (await live.outcomes("gate"), await refusals(live)) == ([], ["late"])


async def test_alias_ends_the_younger_instance_and_the_older_hears_both_names(
    live: System,
) -> None:
    await live.publish(journey(LONG))

    async with working(live.settings):
        await live.send("Begun", "old")
        await live.send("Begun", "young")
        await live.until("SELECT count(*) = 2 FROM instances WHERE wait_visit IS NOT NULL")
        younger = await live.workflow("gate")
        await live.store(event("Customer Aliased", "new", kind="alias", previous_id="old"))
        await live.store(event("Customer Aliased", "new", kind="alias", previous_id="young"))
        await younger.result()
        merged = await live.outcomes("gate")
        await live.send("Came", "young")
        await live.until("SELECT bool_and(outcome IS NOT NULL) FROM instances")

        assert merged == [None, "merged"]
        assert await live.outcomes("gate") == ["completed", "merged"]
        assert await live.pool.fetchval("SELECT count(DISTINCT customer) FROM instances") == 1


async def test_anonymous_visitors_wait_follows_them_when_they_sign_in(live: System) -> None:
    await live.publish(journey(LONG))
    begun = event("Begun", "u1")

    async with working(live.settings):
        await live.identify("u1", first_name="Ann")
        anonymous = event("Begun", "", anonymous="a1")
        await live.store(
            type(anonymous)(**{
                **{name: getattr(anonymous, name) for name in anonymous.__slots__},
                "user_id": None,
            })
        )
        await live.until("SELECT wait_visit FROM instances")
        await live.store(event("Customer Identified", "u1", kind="identify", anonymous="a1"))
        await live.store(begun)
        await live.send("Came", "u1")
        await live.until("SELECT outcome = 'completed' FROM instances")

        assert await refusals(live) == ["inside"]
