"""Server-sent events: a page follows its own customer, within a second and across breaks."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api import streams, tokens
from storage import installation, merges
from storage.pool import Pool
from tests.http import sharing_app as app
from tests.http.sharing_app import ADMIN, BROWSER, NOW


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    name: str
    id: str
    data: dict[str, Any]


class Page:
    """An open stream as a page reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self, within: float = 2.0) -> Event:
        """The next event, or TimeoutError; StopAsyncIteration at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(within):
            while True:
                line = await anext(self._lines)
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    return Event(fields["event"], fields["id"], json.loads(fields["data"]))
                else:
                    fields.clear()


@dataclass
class Shop:
    """The API over real HTTP."""

    client: httpx.AsyncClient

    async def token(self, customer: str = "ada") -> str:
        answer = await self.client.post(
            "/v1/tokens",
            json={"customer": customer},
            headers={"Authorization": f"Bearer {ADMIN}"},
        )
        assert answer.status_code == 201
        return str(answer.json()["token"])

    @asynccontextmanager
    async def page(self, token: str, last: str | None = None) -> AsyncIterator[Page]:
        headers = {"Last-Event-ID": last} if last else {}
        async with self.client.stream(
            "GET", "/v1/stream", params={"token": token}, headers=headers
        ) as response:
            yield Page(response)


@pytest.fixture
async def shop(db: Pool) -> AsyncIterator[Shop]:
    for name in ("loyal", "new"):
        await app.publish(db, name, shared=True)
    await app.publish(db, "secret", shared=False)
    async with app.served(db) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        yield Shop(client)


async def test_a_page_gets_the_state_and_each_change_within_a_second(shop: Shop, db: Pool) -> None:
    ada = await app.person(db, "ada")
    await app.join(db, ada, "loyal", "secret")

    async with shop.page(await shop.token()) as page:
        first = await page.next()
        started = time.monotonic()
        await app.join(db, ada, "new", at=NOW + timedelta(hours=1))
        entered = await page.next()
        took = time.monotonic() - started
        await app.leave(db, ada, "loyal", "secret")
        left = await page.next()
        with pytest.raises(TimeoutError):
            await page.next(within=0.6)

    assert page.response.headers["content-type"].startswith("text/event-stream")
    assert page.response.headers["access-control-allow-origin"] == "*"
    assert first.name == "audiences"
    assert [one["audience"] for one in first.data["audiences"]] == ["loyal"]
    assert (entered.name, entered.data["audience"]) == ("audience.entered", "new")
    assert (left.name, left.data["audience"]) == ("audience.left", "loyal")
    assert took < 1.0


async def test_a_page_sees_its_own_customer_only(shop: Shop, db: Pool) -> None:
    ada, bob = await app.person(db, "ada"), await app.person(db, "bob")
    async with (
        shop.page(await shop.token("ada")) as hers,
        shop.page(await shop.token("bob")) as his,
    ):
        assert (await hers.next()).data == (await his.next()).data == {"audiences": []}
        await app.join(db, bob, "loyal")
        assert (await his.next()).data["audience"] == "loyal"
        await app.join(db, ada, "new")
        assert (await hers.next()).data["audience"] == "new"
        with pytest.raises(TimeoutError):
            await his.next(within=0.6)


async def test_after_a_break_a_page_gets_what_it_missed(shop: Shop, db: Pool) -> None:
    ada = await app.person(db, "ada")
    token = await shop.token()
    async with shop.page(token) as page:
        state = await page.next()
        await app.join(db, ada, "loyal")
        last = await page.next()
    await app.leave(db, ada, "loyal")
    await app.join(db, ada, "new")

    async with shop.page(token, last.id) as page:
        missed = [await page.next(), await page.next()]
        await app.leave(db, ada, "new")
        fresh = await page.next()
    async with shop.page(token, state.id) as page:
        everything = [await page.next() for _ in range(4)]

    assert [(one.name, one.data["audience"]) for one in [*missed, fresh]] == [
        ("audience.left", "loyal"), ("audience.entered", "new"), ("audience.left", "new"),
    ]  # fmt: skip
    assert everything == [last, *missed, fresh]


async def test_no_change_is_missed_while_pages_come_and_go(shop: Shop, db: Pool) -> None:
    ada = await app.person(db, "ada")
    token = await shop.token()
    turns = 40

    async def live() -> None:
        for turn in range(turns):
            await (app.leave if turn % 2 else app.join)(db, ada, "loyal")
            await asyncio.sleep(0.02)

    seen: dict[str, str] = {}
    last: str | None = None
    async with shop.page(token) as page:
        last = (await page.next()).id
    living = asyncio.create_task(live())
    while len(seen) < turns:
        async with shop.page(token, last) as page:
            for _ in range(3):
                if len(seen) == turns:
                    break
                one = await page.next(within=5)
                last = one.id
                seen[one.id] = one.name
    await living

    assert list(seen.values()) == ["audience.entered", "audience.left"] * (turns // 2)


async def test_of_a_customer_who_was_merged_the_page_sees_the_whole_anew(
    shop: Shop, db: Pool
) -> None:
    ada, visitor = await app.person(db, "ada"), await app.person(db, "a-1", "anonymous_id")
    await app.join(db, ada, "loyal")
    token = await shop.token("a-1")
    async with shop.page(token) as page:
        last = await page.next()
        async with db.acquire() as connection, connection.transaction():
            await merges.move(connection, visitor, ada)
            await merges.move_memberships(connection, visitor, ada, NOW)
        with pytest.raises(StopAsyncIteration):
            await page.next()

    async with shop.page(token, last.id) as page:
        first = await page.next()

    assert last.data == {"audiences": []}
    assert [one["audience"] for one in first.data["audiences"]] == ["loyal"]


async def test_an_erased_customers_page_is_told_and_ends(shop: Shop, db: Pool) -> None:
    ada = await app.person(db, "ada")
    await app.join(db, ada, "loyal")
    token = await shop.token()
    async with shop.page(token) as page:
        await page.next()
        headers = {"Authorization": f"Bearer {ADMIN}"}
        assert (await shop.client.delete("/v1/customers/ada", headers=headers)).is_success
        told = await page.next()
        with pytest.raises(StopAsyncIteration):
            await page.next()
    async with shop.page(token) as page:
        assert page.response.status_code == 401

    assert (told.name, told.data["audience"]) == ("audience.left", "loyal")


async def test_a_stream_beats_while_nothing_happens_and_ends_with_its_token(
    shop: Shop, db: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT", 0.2)
    ada = await app.person(db, "ada")
    found = await installation.get(db)
    assert found is not None
    soon = datetime.now(UTC) + timedelta(seconds=2)
    async with asyncio.timeout(5), shop.page(tokens.make(found.secret, ada, soon)) as page:
        lines = [line async for line in page.response.aiter_lines()]

    assert lines.count(": ") >= 3


async def test_other_tokens_open_nothing(shop: Shop, db: Pool) -> None:
    ada, bob = await app.person(db, "ada"), await app.person(db, "bob")
    good = await shop.token()
    found = await installation.get(db)
    assert found is not None
    now = datetime.now(UTC)
    past = tokens.make(found.secret, ada, now - timedelta(seconds=1))
    foreign = tokens.make(b"another installation", ada, now + timedelta(minutes=5))
    others = tokens.make(found.secret, bob, now + timedelta(minutes=5))
    spliced = others[:21] + good[21:]

    for token in ("", "x", "é", good[:-1], good[:-3] + "abc", past, foreign, spliced, "A" * 75):
        async with shop.page(token) as page:
            assert page.response.status_code == 401, token
            assert page.response.headers["access-control-allow-origin"] == "*"


async def test_only_an_admin_key_makes_tokens(shop: Shop, db: Pool) -> None:
    await app.person(db, "ada")
    answer = await shop.client.post(
        "/v1/tokens", json={"customer": "ada"}, headers={"Authorization": f"Bearer {BROWSER}"}
    )

    assert answer.status_code == 401


async def test_streams_are_limited_and_given_back(
    shop: Shop, db: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_EACH", 1)
    monkeypatch.setattr(streams, "MOST", 2)
    monkeypatch.setattr(streams, "HEARTBEAT", 0.1)
    for name in ("ada", "bob", "cy"):
        await app.person(db, name)
    ada, bob, cy = [await shop.token(name) for name in ("ada", "bob", "cy")]
    async with shop.page(ada) as first:
        await first.next()
        async with shop.page(ada) as again:
            assert again.response.status_code == 429
        async with shop.page(bob) as second, shop.page(cy) as third:
            await second.next()
            assert third.response.status_code == 503
            assert third.response.headers["retry-after"] == "5"
    async with asyncio.timeout(5):
        while True:
            async with shop.page(cy) as page:
                if page.response.status_code == 200:
                    break
            await asyncio.sleep(0.05)


async def test_a_process_that_stops_does_not_wait_for_its_pages(db: Pool) -> None:
    await app.person(db, "ada")
    async with httpx.AsyncClient(timeout=20) as client:
        async with app.served(db) as url:
            client.base_url = httpx.URL(url)
            shop = Shop(client)
            opened = shop.page(await shop.token())
            page = await opened.__aenter__()
            await page.next()
            started = time.monotonic()
        took = time.monotonic() - started
        with pytest.raises(StopAsyncIteration):
            await page.next()
        await opened.__aexit__(None, None, None)

    assert took < 3.0
