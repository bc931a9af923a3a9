"""Rule 6: a subscriber gets everything, in order, also after it was away; lies are refused."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook, WebhookVerificationError

from bench.servers import Process
from journeys.identity import CustomerId
from routing.pushing import Pusher
from routing.telling import Patience
from settings import Settings
from storage import audiences, subscriptions
from storage.pool import Pool
from tests.http import sharing_app as app
from tests.http.sharing_app import NOW
from tests.live.subscriber import Receiver, receiver

HURRIED = Patience(first=timedelta(seconds=0.05), longest=timedelta(seconds=0.2))


@pytest.fixture
async def admin(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    for name in ("loyal", "new"):
        await app.publish(db, name, shared=True)
    async with app.client_of(db) as client:
        yield client


@pytest.fixture
async def away(admin: httpx.AsyncClient) -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@asynccontextmanager
async def pushing(url: str, pool: Pool, **more: Any) -> AsyncIterator[None]:
    """A pusher in this process."""
    options = {"allow_private": True, "patience": HURRIED, **more}
    task = asyncio.create_task(Pusher(url, pool, **options).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def subscribe(
    admin: httpx.AsyncClient,
    to: Receiver,
    *names: str,
    format: Literal["standard", "cloudevents"] = "standard",
) -> UUID:
    """Subscribe a receiver, which verifies with its secret from then on."""
    body = {"url": to.url, "audiences": names, "format": format}
    answer = await admin.post("/v1/subscriptions", json=body)
    assert answer.status_code == 201, answer.text
    to.secret = answer.json()["secret"]
    return UUID(answer.json()["id"])


async def crowd(pool: Pool, size: int) -> list[CustomerId]:
    return [await app.person(pool, f"user-{number}") for number in range(size)]


async def come_and_go(pool: Pool, people: list[CustomerId], turns: int) -> int:
    """Everybody joins and leaves in turns; how many changes that makes."""
    for turn in range(turns):
        change = app.leave if turn % 2 else app.join
        for one in people:
            await change(pool, one, "loyal", at=NOW + timedelta(minutes=turn))
    return turns * len(people)


async def written_down(pool: Pool, id: UUID) -> None:
    """Return once it stands behind the last change: what is under way would be told again."""
    last = await pool.fetchrow(
        "SELECT transaction, seq FROM audience_changes ORDER BY transaction DESC, seq DESC LIMIT 1"
    )
    assert last is not None
    async with asyncio.timeout(5):
        while (found := await subscriptions.get(pool, id)) and found.position < tuple(last):
            await asyncio.sleep(0.01)


def assert_alternating(to: Receiver, people: int, turns: int) -> None:
    """Every customer's events in order, none missing: entered, left, entered …; repeats aside."""
    seen: dict[str, list[str]] = {}
    known: set[str] = set()
    for one, (kind, _, user) in zip(to.taken, to.names(), strict=True):
        if one.id not in known:
            known.add(one.id)
            seen.setdefault(user, []).append(kind)
    expected = [("audience.left" if turn % 2 else "audience.entered") for turn in range(turns)]
    assert len(seen) == people
    assert all(kinds == expected for kinds in seen.values())


async def test_a_change_is_told_within_a_second_and_signed(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    await subscribe(admin, away, "loyal")
    ada = await app.person(db, "ada")
    async with pushing(database_url, db):
        await asyncio.sleep(0.5)
        await app.join(db, ada, "loyal", "new")
        await away.until(1, within=1.0)
        await app.leave(db, ada, "loyal")
        await away.until(2, within=1.0)

    assert away.names() == [("audience.entered", "loyal", "ada"), ("audience.left", "loyal", "ada")]
    assert away.taken[0].event["data"] == {
        "audience": "loyal",
        "customer": str(ada),
        "ids": [{"kind": "user_id", "value": "ada"}],
        "at": "2026-11-24T12:00:00+00:00",
    }


async def test_a_lying_signature_is_refused_by_the_reference_library(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    await subscribe(admin, away)
    async with pushing(database_url, db):
        await app.join(db, await app.person(db, "ada"), "loyal")
        await away.until(1)
    [got] = away.taken
    wrong = f"whsec_{base64.b64encode(b'not the secret at all').decode()}"

    assert Webhook(away.secret).verify(got.body, got.headers) == got.event
    with pytest.raises(WebhookVerificationError):
        Webhook(away.secret).verify(got.body.replace(b"entered", b"expired"), got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(wrong).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(away.secret).verify(got.body, {**got.headers, "webhook-id": "another"})


async def test_a_subscriber_that_was_away_gets_everything_in_order(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    id = await subscribe(admin, away)
    people = await crowd(db, 20)
    await away.stop()
    async with pushing(database_url, db, patience=Patience()):
        count = await come_and_go(db, people, 12)
        async with asyncio.timeout(10):
            while not await db.fetchval("SELECT failures > 1 FROM subscriptions"):
                await asyncio.sleep(0.05)
        # An hour passes.
        await db.execute(
            """
            UPDATE subscriptions SET retry_at = retry_at - interval '1 hour',
                failing_since = failing_since - interval '1 hour'
            """
        )
        assert (await admin.get("/v1/subscriptions")).json()["items"][0]["error"] is not None
        await away.start()
        await away.until(count)

    assert_alternating(away, 20, 12)
    assert set(away.repeats().values()) == {1}
    shown = (await admin.get("/v1/subscriptions")).json()["items"][0]
    assert (shown["id"], shown["error"], shown["failing_since"]) == (str(id), None, None)


async def test_one_that_refuses_now_and_then_gets_each_customers_events_in_order(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    await subscribe(admin, away)
    people = await crowd(db, 10)
    away.judge = lambda event: 500 if away.asked % 3 == 0 else 200
    async with pushing(database_url, db):
        count = await come_and_go(db, people, 10)
        await away.until(count)
        await asyncio.sleep(0.5)

    assert_alternating(away, 10, 10)
    assert len(away.taken) == count
    assert not await db.fetchval("SELECT EXISTS (SELECT FROM subscription_retries)")


async def test_an_event_that_is_never_taken_holds_up_its_own_customer_only(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    await subscribe(admin, away)
    people = await crowd(db, 5)
    poison = str(people[0])
    away.judge = lambda event: 422 if event["data"]["customer"] == poison else 200
    async with pushing(database_url, db):
        await come_and_go(db, people, 6)
        await away.until(24)
        await asyncio.sleep(0.5)
        assert len(away.taken) == 24
        away.judge = lambda event: 200
        await away.until(30)

    assert_alternating(away, 5, 6)


async def test_a_dead_and_a_slow_one_hold_up_nobody_else(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    async with receiver() as slow, receiver() as well:
        for one in (away, slow, well):
            await subscribe(admin, one)
        await away.stop()
        slow.delay = 5.0
        async with pushing(database_url, db, patience=Patience()):
            await asyncio.sleep(0.3)
            count = await come_and_go(db, await crowd(db, 20), 10)
            await well.until(count, within=5.0)

    assert_alternating(well, 20, 10)


async def test_everything_since_an_instant_is_told_again_under_the_same_ids(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    id = await subscribe(admin, away)
    people = await crowd(db, 3)
    async with pushing(database_url, db):
        await come_and_go(db, people, 4)
        await away.until(12)
        await written_down(db, id)
        told = [one.id for one in away.taken]
        since = (NOW + timedelta(minutes=2)).isoformat()
        answer = await admin.post(f"/v1/subscriptions/{id}/replay", json={"from": since})
        await away.until(18)
        await asyncio.sleep(0.5)

    assert answer.status_code == 200
    again = [one.id for one in away.taken[12:]]
    assert sorted(again) == sorted(told[6:])
    assert len(away.taken) == 18


async def test_one_that_says_gone_is_stopped_until_a_replay(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    id = await subscribe(admin, away)
    away.judge = lambda event: 410
    async with pushing(database_url, db):
        await app.join(db, await app.person(db, "ada"), "loyal")
        async with asyncio.timeout(5):
            while not await db.fetchval("SELECT stopped_at FROM subscriptions"):
                await asyncio.sleep(0.02)
        asked = away.asked
        await app.join(db, await app.person(db, "bob"), "loyal")
        await asyncio.sleep(0.6)
        assert away.asked == asked
        away.judge = lambda event: 200
        await admin.post(f"/v1/subscriptions/{id}/replay", json={})
        await away.until(2)

    assert {user for _, _, user in away.names()} == {"ada", "bob"}


async def test_cloudevents_are_read_by_their_own_library(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    await subscribe(admin, away, format="cloudevents")
    ada = await app.person(db, "ada")
    async with pushing(database_url, db):
        await app.join(db, ada, "loyal")
        await away.until(1)

    [got] = away.taken
    event = from_http_event(HTTPMessage(got.headers, got.body))
    told = (event.get_type(), event.get_id(), event.get_subject())
    assert told == ("audience.entered", got.id, str(ada))
    assert event.get_data() == got.event["data"]
    Webhook(away.secret).verify(got.body, got.headers)


async def test_what_commits_late_is_told_all_the_same(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    await subscribe(admin, away)
    early, late = await crowd(db, 2)
    async with pushing(database_url, db):
        async with db.acquire() as connection, connection.transaction():
            await app.join(connection, late, "loyal")
            await app.join(db, early, "loyal")
            await asyncio.sleep(0.6)
        await away.until(2, within=2.0)

    assert {user for _, _, user in away.names()} == {"user-0", "user-1"}


async def test_nothing_is_lost_when_the_worker_is_killed(
    admin: httpx.AsyncClient,
    away: Receiver,
    db: Pool,
    database_url: str,
    temporal: str,
    tmp_path: Path,
) -> None:
    await subscribe(admin, away)
    people = await crowd(db, 25)
    settings = Settings.model_validate({
        "database_url": database_url,
        "temporal_address": temporal,
        "allow_private_calls": True,
    })
    environment = {**os.environ, **settings.environment()}
    worker = Process(["worker"], environment, tmp_path / "log")
    away.delay = 0.01
    await worker.start()
    try:
        count = await come_and_go(db, people, 20)
        for share in (0.2, 0.6):
            await away.until(int(count * share))
            await worker.kill()
            await worker.start()
        async with asyncio.timeout(30):
            while len(away.repeats()) < count:
                await asyncio.sleep(0.05)
    finally:
        await worker.kill()

    assert_alternating(away, 25, 20)
    bodies: dict[str, set[bytes]] = {}
    for one in away.taken:
        bodies.setdefault(one.id, set()).add(one.body)
    assert all(len(same) == 1 for same in bodies.values())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "https://partner.example/h", "audiences": ["unknown"]}, 400),
        ({"url": "ftp://partner.example/h"}, 422),
        ({"url": "https://me:secret@partner.example/h"}, 422),
        ({"url": "https://partner.example/h", "format": "xml"}, 422),
    ],
)
async def test_what_cannot_be_subscribed_is_refused(
    admin: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    assert (await admin.post("/v1/subscriptions", json=body)).status_code == status


async def test_a_private_address_is_not_called_unless_allowed(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    await subscribe(admin, away)
    async with pushing(database_url, db, allow_private=False):
        await app.join(db, await app.person(db, "ada"), "loyal")
        async with asyncio.timeout(5):
            while not await db.fetchval("SELECT error FROM subscriptions"):
                await asyncio.sleep(0.02)

    assert away.asked == 0
    assert "public" in await db.fetchval("SELECT error FROM subscriptions")


async def test_an_ended_subscription_is_told_nothing(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    id = await subscribe(admin, away)
    async with pushing(database_url, db):
        assert (await admin.delete(f"/v1/subscriptions/{id}")).status_code == 204
        await app.join(db, await app.person(db, "ada"), "loyal")
        await asyncio.sleep(0.6)

    assert away.asked == 0
    assert (await admin.delete(f"/v1/subscriptions/{id}")).status_code == 404
    assert [one.name for one in await audiences.listed(db)] == ["loyal", "new"]


async def test_a_replay_also_repeats_what_is_under_way(
    admin: httpx.AsyncClient, away: Receiver, db: Pool, database_url: str
) -> None:
    id = await subscribe(admin, away)
    people = await crowd(db, 20)
    await come_and_go(db, people, 1)
    away.delay = 0.5
    async with pushing(database_url, db):
        await away.until(8)
        answer = await admin.post(
            f"/v1/subscriptions/{id}/replay", json={"from": (NOW - timedelta(hours=1)).isoformat()}
        )
        assert len(away.taken) < 20
        await away.until(40)

    assert answer.status_code == 200
    assert set(away.repeats().values()) == {2}
