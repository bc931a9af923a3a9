"""What the tracking routes refuse, and in which shape they say so."""

import gzip
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from storage.pool import Pool
from tests.conftest import fresh_database
from tests.http.tracking_app import AUTHORIZED, client_of, make_app

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


@pytest.mark.parametrize(
    "key", ["", "Basic !!", "Basic \xe9", "Basic bm9wZTo=", "Bearer x", "Bearer " + "x" * 999]
)
async def test_without_a_good_key_nothing_is_taken(
    client: httpx.AsyncClient, db: Pool, key: str
) -> None:
    headers = {b"Authorization": key.encode("latin-1")}

    answer = await client.post("/v1/track", json=TRACK, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.json()["message"]
    assert await stored(db) == []


async def test_a_bad_item_does_not_spoil_its_batch(client: httpx.AsyncClient, db: Pool) -> None:
    bad = [{"type": "track", "messageId": "b1", "event": "No Customer"}, 7]

    answer = await client.post("/v1/batch", json={"batch": [bad[0], ITEM, 7]}, headers=AUTHORIZED)

    assert answer.status_code == 200
    assert answer.json()["success"] is True
    errors = answer.json()["errors"]
    named = [(found["index"], found["message_id"], found["code"]) for found in errors]
    assert named == [(0, "b1", "no_customer"), (2, None, "not_an_object")]
    assert [row["message_id"] for row in await stored(db)] == ["m1"]


async def test_python_and_browser_writers_oddities_spoil_only_their_item(
    client: httpx.AsyncClient, db: Pool
) -> None:
    raw = (
        rb'{"batch": [{"type":"page","userId":"u","messageId":"1","properties":{"a":NaN}},'
        rb'{"type":"page","userId":"u","messageId":"2","properties":{"a":"\ud800"}},'
        rb'{"type":"page","userId":"u","messageId":"3","properties":{"a":"\u0000"}},'
        rb'{"type":"page","userId":"u","messageId":"4","properties":{"a":1}}]}'
    )

    answer = await client.post("/v1/batch", content=raw, headers=AUTHORIZED)

    codes = [found["code"] for found in answer.json()["errors"]]
    assert codes == ["not_finite", "lone_surrogate", "nul_character"]
    assert [row["message_id"] for row in await stored(db)] == ["4"]


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"", 400, "malformed_json"),
        (b"[]", 400, "malformed_body"),
        (b"{}", 400, "malformed_body"),
        (b'{"batch": {}}', 400, "malformed_body"),
        (b'{"batch": [], "sentAt": "soon"}', 400, "bad_timestamp"),
        (b'{"batch": [], "context": 5}', 400, "not_an_object"),
        (b'{"batch": [' + b"1," * 50_000 + b"1]}", 413, "too_many"),
        (b'{"batch":["' + b"x" * 4 * 1024 * 1024 + b'"]}', 413, "too_large"),
        (b'{"batch":[%s1],"context":{"a":"%s"}}' % (b"1," * 99, b"x" * 99_999), 413, "too_large"),
    ],
)
async def test_a_malformed_request_is_refused_with_code_and_message(
    client: httpx.AsyncClient, raw: bytes, status: int, code: str
) -> None:
    answer = await client.post("/v1/batch", content=raw, headers=AUTHORIZED)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message"}


async def test_a_gzip_bomb_is_refused(client: httpx.AsyncClient) -> None:
    headers = {**AUTHORIZED, "Content-Encoding": "gzip"}

    answer = await client.post("/v1/batch", content=gzip.compress(bytes(10**8)), headers=headers)

    assert answer.status_code == 413


async def test_postgres_away_is_a_503_that_makes_clients_retry(
    client: httpx.AsyncClient, db: Pool
) -> None:
    assert (await client.post("/v1/track", json=TRACK, headers=AUTHORIZED)).status_code == 200
    await db.close()

    answer = await client.post("/v1/track", json={**TRACK, "messageId": "m2"}, headers=AUTHORIZED)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "unavailable"


async def test_a_server_that_never_was_is_a_503_too() -> None:
    nowhere = Pool("postgresql://nobody@127.0.0.1:1/none", 2)
    transport = httpx.ASGITransport(app=make_app(nowhere))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as lonely:
        answer = await lonely.post("/v1/batch", json={"batch": [ITEM]}, headers=AUTHORIZED)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_unknown_types_of_jitsu_are_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/s/unheard", json=TRACK, headers=AUTHORIZED)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_type")
