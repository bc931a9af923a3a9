"""The tracking routes, as clients see them."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from storage.pool import Pool, pool
from tests.conftest import fresh_database
from tests.http.tracking_app import AUTHORIZED, BASIC, KEY, client_of

TRACK = {"event": "Tested", "userId": "u1", "messageId": "m1"}
ITEM = {"type": "track", **TRACK}


@pytest.fixture(scope="module")
async def database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """One database for these many small tests; each begins with it empty."""
    async with fresh_database(postgres_url, template) as url:
        yield url


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    await db.execute("TRUNCATE events, message_ids, inbox, keys")
    async with client_of(db) as opened:
        yield opened


async def stored(db: Pool) -> list[asyncpg.Record]:
    return await db.fetch("SELECT * FROM events ORDER BY message_id")


PATHS = [
    *(f"/v1/{kind}" for kind in ("track", "identify", "page", "screen", "group", "alias")),
    *(f"/v1/{kind}" for kind in "tipsga"),
    *(f"/api/s/{kind}" for kind in ("track", "identify", "page", "screen", "group", "alias")),
    "/api/s/s2s/track",
]


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_of_one_event_takes_one(
    client: httpx.AsyncClient, db: Pool, path: str
) -> None:
    body = {**TRACK, "groupId": "g1", "previousId": "old"}

    answer = await client.post(path, json=body, headers={"X-Write-Key": KEY})

    assert (answer.status_code, answer.content) == (200, b'{"success":true}')
    [event] = await stored(db)
    assert event["kind"][0] == path.rsplit("/", 1)[1][0]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/api/s/s2s/batch"])
async def test_every_path_of_a_batch_takes_one(
    client: httpx.AsyncClient, db: Pool, path: str
) -> None:
    items = [ITEM, {"type": "identify", "userId": 5, "messageId": "m2", "traits": {"a": 1}}]

    answer = await client.post(path, json={"batch": items}, headers=AUTHORIZED)

    assert (answer.status_code, answer.content) == (200, b'{"success":true}')
    assert [row["user_id"] for row in await stored(db)] == ["u1", "5"]


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({"Authorization": BASIC}, "", {}),
        ({"Authorization": f"Bearer {KEY}"}, "", {}),
        ({"X-Write-Key": KEY}, "", {}),
        ({"X-Write-Key": f"id:{KEY}"}, "", {}),
        ({}, f"?writeKey={KEY}", {}),
        ({}, "", {"writeKey": KEY}),
        ({"Authorization": "Basic bm9wZTo="}, "", {"writeKey": KEY}),
    ],
)
async def test_the_write_key_may_stand_where_clients_put_it(
    client: httpx.AsyncClient, headers: dict[str, str], query: str, body: dict[str, str]
) -> None:
    answer = await client.post(f"/v1/track{query}", json={**TRACK, **body}, headers=headers)

    assert answer.status_code == 200


async def test_gzip_is_unpacked_whatever_the_content_type_says(
    client: httpx.AsyncClient, db: Pool
) -> None:
    headers = {**AUTHORIZED, "Content-Encoding": "gzip"}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    raw = gzip.compress(orjson.dumps({"batch": [ITEM]}))

    answer = await client.post("/v1/batch", content=raw, headers=headers)

    assert answer.status_code == 200
    assert len(await stored(db)) == 1


async def test_browsers_may_post_from_anywhere(client: httpx.AsyncClient) -> None:
    origin = {"Origin": "https://shop.example"}

    asked = await client.options("/v1/t", headers=origin)
    headers = {**AUTHORIZED, **origin, "Content-Type": "text/plain"}
    answer = await client.post("/v1/t", content=orjson.dumps(TRACK), headers=headers)

    allowed = {name.strip() for name in asked.headers["access-control-allow-headers"].split(",")}
    assert asked.status_code == 200
    assert allowed >= {
        "authorization", "content-type", "x-retry-count", "x-write-key", "anonymousid", "sentat",
    }  # fmt: skip
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


async def test_a_message_id_is_one_event_in_a_batch_and_across_two_processes(
    client: httpx.AsyncClient, database_url: str, db: Pool
) -> None:
    body = {"batch": [ITEM] * 3}

    async with pool(database_url) as second, client_of(second) as other:
        turns = (client, other) * 5
        answers = await asyncio.gather(
            *(turn.post("/v1/batch", json=body, headers=AUTHORIZED) for turn in turns)
        )

    assert {answer.content for answer in answers} == {b'{"success":true}'}
    assert len(await stored(db)) == 1
    assert await db.fetchval("SELECT count(*) FROM inbox") == 1


async def test_segments_browser_library_is_told_where_to_send(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/v1/projects/{KEY}/settings")

    assert answer.json()["integrations"]["Segment.io"]["apiHost"] == "test/v1"
    assert (await client.get("/v1/projects/nobody/settings")).status_code == 404


@pytest.mark.parametrize("path", ["/sourceConfig/", "/sourceConfig"])
async def test_rudderstacks_browser_library_gets_a_source(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(f"{path}?p=npm&v=3&writeKey={KEY}")

    source: dict[str, Any] = answer.json()["source"]
    assert source["id"]
    assert source["enabled"] is True
    assert isinstance(source["config"], dict)
    assert source["destinations"] == []
    assert (await client.get(f"{path}?writeKey=nobody")).status_code == 401


async def test_the_routes_are_described(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()

    batch = described["paths"]["/v1/batch"]["post"]
    assert batch["requestBody"]["content"]["application/json"]["example"]["batch"]
    assert {"200", "400", "401", "413", "503"} <= set(batch["responses"])
    assert "/v1/t" not in described["paths"]
