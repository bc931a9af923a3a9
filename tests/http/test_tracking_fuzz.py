"""Whatever is posted: never a 500, and no good item is lost."""

import json
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.pool import Pool
from tests.http.tracking_app import AUTHORIZED, client_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    *["type", "event", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp"],
    *["sentAt", "properties", "traits", "context", "name", "category", "groupId", "previousId"],
    *["specversion", "id", "source", "subject", "time", "data", "integrations"],
]
KINDS = st.sampled_from(["track", "identify", "page", "screen", "group", "alias"])
TIMES = st.datetimes().map(str)
ITEM = st.dictionaries(st.sampled_from(FIELDS), JSON | KINDS | TIMES) | JSON
BODY = st.fixed_dictionaries(
    {"batch": st.lists(ITEM, max_size=5)}, optional={"context": JSON, "sentAt": JSON | TIMES}
)
PATHS = ["/v1/track", "/v1/identify", "/v1/page", "/v1/group", "/v1/alias", "/v1/cloudevents"]
UNHURRIED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(db) as opened:
        yield opened


def written(value: object) -> bytes:
    """JSON as Python's writer makes it, NaN and lone surrogates included."""
    return json.dumps(value).encode()


@UNHURRIED
@given(body=ITEM | BODY, path=st.sampled_from([*PATHS, "/v1/batch"]))
async def test_any_json_gets_a_proper_answer(
    client: httpx.AsyncClient, body: object, path: str
) -> None:
    answer = await client.post(path, content=written(body), headers=AUTHORIZED)

    assert answer.status_code in {200, 400}
    assert answer.json().keys() <= {"success", "errors", "code", "message"}


@UNHURRIED
@given(raw=st.binary(max_size=60), encoding=st.sampled_from(["identity", "gzip", "deflate", "br"]))
async def test_any_bytes_get_a_proper_answer(
    client: httpx.AsyncClient, raw: bytes, encoding: str
) -> None:
    headers = {**AUTHORIZED, "Content-Encoding": encoding}

    answer = await client.post("/v1/batch", content=raw, headers=headers)

    assert answer.status_code in {400, 415}
    assert answer.json().keys() == {"code", "message"}


@UNHURRIED
@given(items=st.lists(ITEM, max_size=6), place=st.integers(0, 6), number=st.uuids())
async def test_a_good_item_among_any_others_is_stored(
    client: httpx.AsyncClient, db: Pool, items: list[object], place: int, number: object
) -> None:
    good = {"type": "track", "event": "Good", "userId": "u", "messageId": f"good-{number}"}
    batch = [*items[:place], good, *items[place:]]

    answer = await client.post("/v1/batch", content=written({"batch": batch}), headers=AUTHORIZED)

    found = orjson.loads(answer.content).get("errors", [])
    assert answer.status_code == 200
    assert min(place, len(items)) not in {error["index"] for error in found}
    query = "SELECT count(*) FROM events WHERE message_id = $1"
    assert await db.fetchval(query, good["messageId"]) == 1
