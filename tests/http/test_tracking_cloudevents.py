"""CloudEvents in their three forms."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from cloudevents.core.bindings.http import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from storage.pool import Pool
from tests.conftest import fresh_database
from tests.http.tracking_app import AUTHORIZED, client_of

EVENT = {
    "specversion": "1.0",
    "id": "17",
    "source": "https://shop.example/orders",
    "type": "Order Completed",
    "subject": "u1",
    "time": "2026-01-01T10:00:00Z",
    "data": {"total": 5},
}
STRUCTURED = {**AUTHORIZED, "Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {**AUTHORIZED, "Content-Type": "application/cloudevents-batch+json"}


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


async def post(client: httpx.AsyncClient, body: object, headers: dict[str, str]) -> httpx.Response:
    return await client.post("/v1/cloudevents", content=orjson.dumps(body), headers=headers)


async def test_a_structured_event_is_a_track(client: httpx.AsyncClient, db: Pool) -> None:
    answer = await post(client, {**EVENT, "trace": "t1"}, STRUCTURED)

    row = await db.fetchrow("SELECT * FROM events")
    assert row is not None
    assert answer.content == b'{"success":true}'
    assert (row["kind"], row["name"], row["user_id"]) == ("track", "Order Completed", "u1")
    assert row["properties"] == {"total": 5}
    assert row["occurred_at"].year == 2026
    assert row["occurred_at"].month == 1
    assert row["context"]["cloudevent"]["trace"] == "t1"


async def test_source_and_id_together_are_the_message(client: httpx.AsyncClient, db: Pool) -> None:
    other = {**EVENT, "source": "https://else.example"}

    await post(client, [EVENT, EVENT, other], BATCH)
    await post(client, EVENT, STRUCTURED)

    assert await db.fetchval("SELECT count(*) FROM events") == 2


async def test_a_binary_event_has_its_attributes_in_headers(
    client: httpx.AsyncClient, db: Pool
) -> None:
    attributes = {name: EVENT[name] for name in ("id", "source", "type", "specversion")}
    message = to_binary(CloudEvent({**attributes, "subject": "ü 1"}, {"total": 6}), JSONFormat())

    answer = await client.post(
        "/v1/cloudevents", content=message.body, headers={**message.headers, **AUTHORIZED}
    )

    assert answer.json() == {"success": True}
    row = await db.fetchrow("SELECT * FROM events")
    assert row is not None
    assert (row["user_id"], row["properties"]) == ("ü 1", {"total": 6})


async def test_binary_text_is_kept_as_the_only_property(
    client: httpx.AsyncClient, db: Pool
) -> None:
    headers = {f"ce-{name}": str(EVENT[name]) for name in EVENT if name != "data"}

    headers |= {**AUTHORIZED, "Content-Type": "text/plain"}

    await client.post("/v1/cloudevents", content=b"hello", headers=headers)

    assert await db.fetchval("SELECT properties FROM events") == {"data": "hello"}


async def test_bad_events_of_a_batch_are_named(client: httpx.AsyncClient, db: Pool) -> None:
    bad: list[object] = [
        {**EVENT, "id": None},
        {**EVENT, "specversion": "0.3"},
        {**EVENT, "subject": None},
        {**EVENT, "time": "noon"},
        {**EVENT, "Bad-Name": 1},
        {**EVENT, "source": "two words"},
        {**EVENT, "type": 5},
        3,
    ]

    answer = await post(client, [*bad, EVENT], BATCH)

    assert answer.status_code == 200
    assert [found["index"] for found in answer.json()["errors"]] == list(range(8))
    assert await db.fetchval("SELECT count(*) FROM events") == 1


@pytest.mark.parametrize("body", [5, "x", None])
async def test_a_body_that_is_no_event_is_refused(client: httpx.AsyncClient, body: object) -> None:
    answer = await post(client, body, STRUCTURED)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
