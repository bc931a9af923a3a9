"""Broadcasts on real servers: through the same ledger, rules and trail, without workflows."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bench.broadcast import measured
from journeys.identity import CustomerId
from storage import broadcasts, consent, journeys, runs
from tests.live.faulty_smtp import FaultySmtp, faulty_smtp
from tests.live.groups import begun, join, learn, people, scheduled
from tests.live.system import System, system, working
from workflows.run import RunStart

MAIL = {"id": "news", "kind": "send", "channel": "email", "template": "hello", "topic": "news"}
SPLIT = {
    "id": "half", "kind": "split", "paths": {"a": 50, "b": 50}, "then": {"a": "news", "b": "other"},
}  # fmt: skip
OVER = "SELECT bool_and(ended_at IS NOT NULL) FROM runs"


def news(name: str, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A journey over `loyal` that only sends."""
    return {**scheduled(name), "steps": list(steps) or [MAIL], **fields}


async def readers(live: System, count: int) -> list[CustomerId]:
    """Members of `loyal` with addresses r0@x.example, r1@x.example, …"""
    made = await people(live.pool, count)
    for number, one in enumerate(made):
        await learn(live.pool, one, email=f"r{number}@x.example")
    await join(live.pool, "loyal", *made)
    return made


async def states(live: System) -> Counter[str]:
    rows = await live.pool.fetch("SELECT state FROM messages")
    return Counter(row["state"] for row in rows)


async def workflows(live: System, journey: str) -> int:
    """How many instances of a journey have workflows."""
    client = await live.client()
    await asyncio.sleep(0.5)  # visibility lags behind
    query = f"WorkflowType = 'Journey' AND ParcoursJourney = '{journey}'"
    return (await client.count_workflows(query)).count


async def test_everybody_is_sent_to_once_without_a_workflow(live: System) -> None:
    everybody = await readers(live, 700)
    await live.publish(news("plain"))
    await begun(live, "plain")

    async with working(live.settings):
        await live.until(OVER, within=60)

    assert await states(live) == {"accepted": 700}
    assert set(live.mailbox.message_ids.values()) == {1}
    assert live.mailbox.count == 700
    assert await live.exits("plain") == [("news", "sent")] * 700
    assert await live.outcomes("plain") == ["completed"] * 700
    assert await workflows(live, "plain") == 0
    [run] = await live.pool.fetch("SELECT * FROM runs")
    assert (run["state"], run["reached"], run["entered"]) == ("done", 700, 700)
    rows = await live.pool.fetch("SELECT customer FROM instances")
    assert sorted(row["customer"] for row in rows) == sorted(everybody)


async def test_the_rules_of_every_message_hold(live: System) -> None:
    """Who does not want it, cannot be reached or has a bad address is skipped, and named."""
    everybody = await readers(live, 60)
    now = datetime.now(UTC)
    for one in everybody[:10]:
        await consent.unsubscribe(live.pool, one, "email", "news", now)
    for one in everybody[10:20]:
        await learn(live.pool, one, email=None)
    secret = (await live.round()).secret
    for number in range(20, 30):
        await consent.suppress(live.pool, "email", f"R{number}@x.example", secret, "bounced", now)
    await live.publish(news("careful"))
    await begun(live, "careful")

    async with working(live.settings):
        await live.until(OVER, within=30)

    rows = await live.pool.fetch("SELECT customer, state, reason FROM messages")
    found = {row["customer"]: (row["state"], row["reason"]) for row in rows}
    assert [found[one] for one in everybody] == [
        *[("skipped", "unsubscribed")] * 10,
        *[("skipped", "no_address")] * 10,
        *[("skipped", "suppressed")] * 10,
        *[("accepted", None)] * 30,
    ]
    assert Counter(await live.exits("careful")) == {("news", "not_sent"): 30, ("news", "sent"): 30}
    assert live.mailbox.count == 30


async def test_splits_branches_and_updates_take_the_way_that_workflows_take(live: System) -> None:
    everybody = await readers(live, 80)
    for one in everybody[:20]:
        await learn(live.pool, one, level=5)
    other = {**MAIL, "id": "other"}
    high = {
        "id": "high", "kind": "branch", "branches": {"yes": "customer.level > 2.0"},
        "then": {"yes": "mark", "otherwise": "half"},
    }  # fmt: skip
    mark = {"id": "mark", "kind": "update", "set": {"told": "true"}, "then": "half"}
    await live.publish(news("ways", high, mark, SPLIT, {**MAIL, "then": "end"}, other))
    await live.publish(
        news("lasting", high, mark, SPLIT, {**MAIL, "then": "end"}, other,
             {"id": "rest", "kind": "wait", "duration": "1s"})
    )  # fmt: skip
    await begun(live, "ways")
    await begun(live, "lasting")

    async with working(live.settings):
        await live.until(OVER, within=60)
        await live.until("SELECT bool_and(ended_at IS NOT NULL) FROM instances", within=60)

    assert await workflows(live, "ways") == 0
    assert await workflows(live, "lasting") == 80
    ways, lasting = await visits(live, "ways"), await visits(live, "lasting")
    chance = {"a": "news", "b": "other"}
    for customer, steps in ways.items():
        before, (_, path), (last, _) = steps[:-2], steps[-2], steps[-1]
        assert last == chance[path or ""]
        assert before == lasting[customer][: len(before)]
    told = "SELECT count(*) FROM customers WHERE attributes ->> 'told' = 'true'"
    assert await live.pool.fetchval(told) == 20


async def visits(live: System, journey: str) -> dict[UUID, list[tuple[str, str | None]]]:
    """What each customer went through."""
    rows = await live.pool.fetch(
        """
        SELECT i.customer, t.step, t.exit FROM trail t JOIN instances i ON i.id = t.instance
        WHERE i.journey = $1 ORDER BY t.instance, t.visit
        """,
        journey,
    )
    found: dict[UUID, list[tuple[str, str | None]]] = {}
    for row in rows:
        found.setdefault(row["customer"], []).append((row["step"], row["exit"]))
    return found


@asynccontextmanager
async def unreliable(
    database_url: str, temporal: str, **faults: Any
) -> AsyncIterator[tuple[System, FaultySmtp]]:
    """A system whose mail server is not what it should be."""
    server = FaultySmtp(**faults)
    async with (
        faulty_smtp(server),
        system(database_url, temporal, smtp_url=f"smtp://127.0.0.1:{server.port}") as live,
    ):
        yield live, server


async def test_a_run_is_paused_and_resumed_to_the_message(database_url: str, temporal: str) -> None:
    async with unreliable(database_url, temporal, delay=0.2) as (live, server):
        for number, one in enumerate(made := await people(live.pool, 200)):
            await learn(live.pool, one, email=f"r{number}+slow@x.example")
        await join(live.pool, "loyal", *made)
        await live.publish(news("slowly"))
        run = await begun(live, "slowly")

        async with working(live.settings):
            await live.until("SELECT count(*) >= 40 FROM messages")
            await runs.pause(live.pool, run)
            begun_by_then = await live.pool.fetchval("SELECT count(*) FROM messages")
            await live.until("SELECT held FROM runs")
            await asyncio.sleep(1)
            paused = await live.pool.fetchval("SELECT count(*) FROM messages")
            await runs.resume(live.pool, run, datetime.now(UTC))
            await live.until(OVER, within=60)

        assert begun_by_then == paused < 200
        assert await states(live) == {"accepted": 200}
        assert len(server.mails) == 200


async def test_a_cancelled_broadcast_sends_nothing_more(database_url: str, temporal: str) -> None:
    async with unreliable(database_url, temporal, delay=0.2) as (live, server):
        for number, one in enumerate(made := await people(live.pool, 200)):
            await learn(live.pool, one, email=f"r{number}+slow@x.example")
        await join(live.pool, "loyal", *made)
        await live.publish(news("stopped"))
        run = await begun(live, "stopped")

        async with working(live.settings):
            await live.until("SELECT count(*) >= 40 FROM messages")
            await runs.end(live.pool, run, datetime.now(UTC), "cancelled", "wrong picture")
            begun_by_then = await live.pool.fetchval("SELECT count(*) FROM messages")
            await live.until("SELECT bool_and(ended_at IS NOT NULL) FROM instances", within=30)

        sent = await live.pool.fetchval("SELECT count(*) FROM messages")
        assert sent == begun_by_then == len(server.mails) < 200
        outcomes = Counter(await live.outcomes("stopped"))
        assert outcomes["cancelled"] == 200 - sent
        assert outcomes["completed"] == sent


async def test_whom_the_provider_puts_off_goes_on_as_a_workflow(
    database_url: str, temporal: str
) -> None:
    async with unreliable(database_url, temporal) as (live, server):
        made = await readers(live, 50)
        await learn(live.pool, made[7], email="r7+4xx@x.example")
        await live.publish(news("puts-off"))
        await begun(live, "puts-off")

        async with working(live.settings):
            await live.until(OVER, within=30)
            await live.until("SELECT count(*) = 1 FROM messages WHERE state = 'deferred'")
            assert await workflows(live, "puts-off") == 1
            await learn(live.pool, made[7], email="r7@x.example")
            await live.until("SELECT bool_and(state = 'accepted') FROM messages", within=60)
            await live.until("SELECT bool_and(ended_at IS NOT NULL) FROM instances")

        assert len(server.mails) == 50


async def test_each_fate_of_a_message_is_written_down(database_url: str, temporal: str) -> None:
    async with unreliable(database_url, temporal) as (live, _):
        made = await readers(live, 20)
        tags = ["5xx", "relay", "5xxdata", "drop-after-data", "garbage", "drop-at-data"]
        for one, tag in zip(made, tags, strict=False):
            await learn(live.pool, one, email=f"reader+{tag}@x.example")
        await live.publish(news("fates"))
        await begun(live, "fates")

        async with working(live.settings):
            await live.until(OVER, within=30)
            await live.until("SELECT bool_and(state <> 'sending') FROM messages")

        rows = await live.pool.fetch("SELECT customer, state, detail FROM messages")
        fates = {row["customer"]: (row["state"], row["detail"]) for row in rows}
        told = [fates.get(one) for one in made[:5]]
        assert told == [
            ("refused", "550 5.1.1 no such user"),
            ("refused", "550 5.7.1 relaying denied"),
            ("refused", "554 5.7.1 looks like 5.7.1 spam"),
            ("unknown", "no answer to the body: connection closed by the server"),
            ("unknown", "no answer to the body: not an SMTP reply: what?"),
        ]
        assert {fates[one][0] for one in made[6:]} == {"accepted"}
        assert await live.pool.fetchval("SELECT count(*) FROM suppressions") == 1
        visits = Counter(await live.exits("fates"))
        assert (visits["news", "not_sent"], visits["news", "sent"]) == (3, 16)


async def test_a_broadcast_waits_while_its_provider_is_away(live: System) -> None:
    await readers(live, 300)
    await live.publish(news("patient"))
    port = live.mailbox.port
    await live.mailbox.stop()
    await begun(live, "patient")

    async with working(live.settings):
        await live.until("SELECT count(*) > 0 FROM instances")
        await asyncio.sleep(3)
        assert await workflows(live, "patient") == 0
        live.mailbox.port = port
        await live.mailbox.start()
        await live.until(OVER, within=90)

    assert await states(live) == {"accepted": 300}
    assert live.mailbox.count == 300
    assert await workflows(live, "patient") == 0


async def test_what_was_sent_and_not_written_into_the_trail_is_not_sent_again(
    live: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that died between the ledger and the trail: somebody else closes the page."""
    await readers(live, 30)
    await live.publish(news("halfway"))
    await begun(live, "halfway")
    async with working(live.settings):
        await live.until(OVER, within=30)
    await live.pool.execute("DELETE FROM trail")
    await live.pool.execute(
        """
        UPDATE instances SET ended_at = NULL, outcome = NULL, position = 'news', visit = 1,
               registered_at = registered_at - interval '1 minute'
        """
    )
    run = await live.pool.fetchval(
        "UPDATE runs SET state = 'running', ended_at = NULL RETURNING id"
    )
    assert await broadcasts.has_open(live.pool, run)

    round = await live.round()
    await round.engine.begin(f"run/halfway/{run}/again", RunStart(journey="halfway", run=run))
    async with working(live.settings):
        await live.until(OVER, within=30)

    assert live.mailbox.count == 30
    assert await live.exits("halfway") == [("news", "sent")] * 30
    assert await live.outcomes("halfway") == ["completed"] * 30


async def test_an_exit_rule_ends_who_was_not_sent_to_yet(database_url: str, temporal: str) -> None:
    async with unreliable(database_url, temporal, delay=0.3) as (live, server):
        made = await people(live.pool, 120)
        for number, one in enumerate(made):
            await learn(live.pool, one, email=f"r{number}+slow@x.example")
        await join(live.pool, "loyal", *made)
        await live.publish(news("leaving", exits=[{"event": "Gone"}]))
        await begun(live, "leaving")

        async with working(live.settings):
            await live.until("SELECT count(*) >= 20 FROM messages")
            last = await live.pool.fetchval(
                """
                SELECT x.value FROM instances i JOIN external_ids x ON x.customer = i.customer
                WHERE NOT EXISTS (SELECT FROM messages m WHERE m.instance = i.id)
                ORDER BY i.id DESC LIMIT 1
                """
            )
            await live.send("Gone", last)
            await live.routed()
            await live.until(OVER, within=60)

        outcomes = Counter(await live.outcomes("leaving"))
        assert outcomes == {"completed": 119, "exited": 1}
        assert len(server.mails) == 119


async def test_a_closed_journey_ends_its_broadcast(database_url: str, temporal: str) -> None:
    async with unreliable(database_url, temporal, delay=0.3) as (live, server):
        made = await people(live.pool, 120)
        for number, one in enumerate(made):
            await learn(live.pool, one, email=f"r{number}+slow@x.example")
        await join(live.pool, "loyal", *made)
        await live.publish(news("closing"))
        await begun(live, "closing")

        async with working(live.settings):
            await live.until("SELECT count(*) >= 20 FROM messages")
            await journeys.change(live.pool, "closing", datetime.now(UTC), "stop")
            await live.until("SELECT bool_and(ended_at IS NOT NULL) FROM instances", within=30)
            await live.until(OVER, within=30)

        sent = await live.pool.fetchval("SELECT count(*) FROM messages")
        assert sent == len(server.mails) < 120


@pytest.mark.slow
async def test_killed_workers_send_to_everybody_once(tmp_path: Path) -> None:
    """At most once: none twice, none missing, and of each kill at most one unknown a connection."""
    figures = await measured(customers=8000, workers=1, kills=2, note=print)

    assert figures["twice"] == figures["missing"] == figures["open"] == 0
    assert figures["unknown"] <= 2 * 20
    assert figures["taken"] + figures["unknown"] >= 8000
