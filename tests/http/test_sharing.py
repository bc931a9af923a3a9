"""What decision engines read over HTTP, and what a browser key cannot."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from journeys.identity import CustomerId
from storage import audiences, keys
from storage.pool import Pool
from tests.http import sharing_app as app
from tests.http.sharing_app import ADMIN, BROWSER, NOW, WRITE, context

pytestmark = pytest.mark.slow  # some seconds together

ALL = "/ofrep/v1/evaluate/flags"


@pytest.fixture
async def ada(db: Pool) -> CustomerId:
    """In `loyal`, `pilot/a` and the unshared `secret`; `new` has nobody."""
    for name in ("loyal", "new"):
        await app.publish(db, name, shared=True)
    await app.publish(db, "secret", shared=False)
    await app.publish(
        db, "pilot", shared=True, kind="composition", union=["loyal"], parts={"a": 50, "b": 50}
    )
    ada = await app.person(db, "ada", plan="gold", email="ada@example.com")
    await app.join(db, ada, "loyal", "secret", "pilot", "pilot/a")
    return ada


@pytest.fixture
async def admin(db: Pool, ada: CustomerId) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client_of(db, ADMIN) as client:
        yield client


@pytest.fixture
async def browser(db: Pool, ada: CustomerId) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client_of(db, BROWSER) as client:
        yield client


def names(answer: httpx.Response) -> list[str]:
    return [one["audience"] for one in answer.json()["audiences"]]


# The audiences of a customer -------------------------------------------------------


async def test_a_customer_is_found_by_every_kind_of_id(
    admin: httpx.AsyncClient, db: Pool, ada: CustomerId
) -> None:
    visitor = await app.person(db, "a-1", "anonymous_id")
    await app.join(db, visitor, "new")

    for named in ("ada", "user_id:ada", str(ada)):
        assert names(await admin.get(f"/v1/customers/{named}/audiences")) == [
            "loyal", "pilot", "pilot/a", "secret",
        ]  # fmt: skip
    for named in ("a-1", "anonymous_id:a-1"):
        assert names(await admin.get(f"/v1/customers/{named}/audiences")) == ["new"]
    for named in ("user_id:a-1", "anonymous_id:ada", "nobody", str(uuid4())):
        assert (await admin.get(f"/v1/customers/{named}/audiences")).status_code == 404


async def test_of_two_customers_with_one_id_the_user_is_meant(
    admin: httpx.AsyncClient, db: Pool
) -> None:
    await app.join(db, await app.person(db, "same", "anonymous_id"), "new")
    await app.person(db, "same")

    assert names(await admin.get("/v1/customers/same/audiences")) == []
    assert names(await admin.get("/v1/customers/anonymous_id:same/audiences")) == ["new"]


async def test_the_same_answer_is_not_sent_twice(
    admin: httpx.AsyncClient, db: Pool, ada: CustomerId
) -> None:
    path = "/v1/customers/ada/audiences"
    tag = (await admin.get(path)).headers["etag"]

    again = await admin.get(path, headers={"If-None-Match": f'"other", {tag}'})
    await app.leave(db, ada, "loyal")
    changed = await admin.get(path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert tag.startswith('"')
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_a_browser_key_reads_what_is_shared_and_no_reasons(
    admin: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    seen = await browser.get("/v1/customers/ada/audiences")
    whole = await admin.get("/v1/customers/ada/audiences")

    assert names(seen) == ["loyal", "pilot", "pilot/a"]
    assert seen.json()["customer"] is None
    assert all(set(one) == {"audience", "joined_at"} for one in seen.json()["audiences"])
    assert whole.json()["audiences"][0]["why"] == {"condition": "true"}


async def test_a_browser_key_cannot_tell_who_is_a_customer(
    browser: httpx.AsyncClient, db: Pool
) -> None:
    await app.person(db, "bob")

    answers = [await browser.get(f"/v1/customers/{one}/audiences") for one in ("bob", "nobody")]
    flags = [await browser.post(ALL, json=context(one)) for one in ("bob", "nobody")]

    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].content == answers[1].content
    assert flags[0].content == flags[1].content


async def test_a_browser_key_opens_nothing_else(browser: httpx.AsyncClient) -> None:
    document = (await browser.get("/openapi.json")).json()
    opened = set()
    for path, operations in document["paths"].items():
        for method in operations if path != "/health/ready" else ():
            filled = path.replace("{id}", str(uuid4())).replace("{type}", "track")
            filled = filled.replace("{", "").replace("}", "")
            answer = await browser.request(method, filled, content=b"{}")
            if answer.status_code != 401:
                opened.add(f"{method} {path}")

    assert opened == {
        "get /v1/customers/{user_id}/audiences",
        "post /ofrep/v1/evaluate/flags",
        "post /ofrep/v1/evaluate/flags/{key}",
        "get /health/live",
        "get /v1/projects/{key}/settings",
    }


async def test_a_write_key_reads_nothing(db: Pool, ada: CustomerId) -> None:
    async with app.client_of(db, WRITE) as client:
        assert (await client.get("/v1/customers/ada/audiences")).status_code == 401
        assert (await client.post(ALL, json=context("ada"))).status_code == 401


@pytest.mark.parametrize("path", [ALL, f"{ALL}/pilot/a", "/v1/customers/ada/audiences"])
async def test_pages_of_any_origin_may_read_also_refusals(
    db: Pool, browser: httpx.AsyncClient, path: str
) -> None:
    asked = await browser.options(path, headers={"Origin": "https://shop.example"})
    method = "GET" if path.startswith("/v1") else "POST"
    refused = await browser.request(method, path, headers={"Authorization": "Bearer wrong"})

    assert asked.status_code == 204
    assert {"authorization", "if-none-match"} <= set(
        asked.headers["access-control-allow-headers"].split(", ")
    )
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "*"


# Flags -----------------------------------------------------------------------------


async def test_every_shared_audience_and_part_is_a_flag(browser: httpx.AsyncClient) -> None:
    answer = await browser.post(ALL, json=context("ada"))

    assert {one["key"]: one["value"] for one in answer.json()["flags"]} == {
        "loyal": True, "new": False, "pilot": True, "pilot/a": True, "pilot/b": False,
    }  # fmt: skip


async def test_the_parts_of_a_flag_may_be_encoded_in_its_path(browser: httpx.AsyncClient) -> None:
    for path in ("pilot/a", "pilot%2Fa"):
        answer = await browser.post(f"{ALL}/{path}", json=context("user_id:ada"))

        assert answer.json() == {
            "key": "pilot/a", "value": True, "reason": "TARGETING_MATCH", "variant": "inside",
        }  # fmt: skip


async def test_nobody_we_know_is_in_no_audience(browser: httpx.AsyncClient) -> None:
    answer = await browser.post(f"{ALL}/loyal", json=context("anonymous_id:nobody"))

    assert answer.json() == {
        "key": "loyal", "value": False, "reason": "DEFAULT", "variant": "outside",
    }  # fmt: skip


async def test_an_attribute_is_a_flag_only_while_it_is_shared(
    admin: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    before = await browser.post(f"{ALL}/customer.plan", json=context("ada"))
    answer = await admin.put("/v1/shared-attributes", json={"names": ["plan", "city", "plan"]})
    shared = await browser.post(f"{ALL}/customer.plan", json=context("ada"))
    unset = await browser.post(f"{ALL}/customer.city", json=context("ada"))
    other = await browser.post(f"{ALL}/customer.email", json=context("ada"))
    bulk = (await browser.post(ALL, json=context("ada"))).json()["flags"]

    assert answer.json() == {"names": ["city", "plan"]}
    assert (await admin.get("/v1/shared-attributes")).json() == answer.json()
    assert (before.status_code, other.status_code) == (404, 404)
    assert shared.json()["value"] == "gold"
    assert unset.json() == {"key": "customer.city", "reason": "DEFAULT", "variant": "unset"}
    assert [one for one in bulk if one["key"].startswith("customer.")] == [
        unset.json(),
        shared.json(),
    ]


async def test_all_flags_are_sent_only_when_one_has_changed(
    browser: httpx.AsyncClient, db: Pool, ada: CustomerId
) -> None:
    tag = (await browser.post(ALL, json=context("ada"))).headers["etag"]

    again = await browser.post(ALL, json=context("ada"), headers={"If-None-Match": tag})
    await app.join(db, ada, "new")
    changed = await browser.post(ALL, json=context("ada"), headers={"If-None-Match": tag})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b'{"context": {"x": "' + b"x" * 70_000 + b'"}}', "PARSE_ERROR"),
        (b"{}", "TARGETING_KEY_MISSING"),
        (b'{"context": {}}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "a\\u0000"}}', "INVALID_CONTEXT"),
    ],
)
async def test_what_cannot_be_evaluated_is_refused_in_the_protocols_words(
    browser: httpx.AsyncClient, content: bytes, code: str
) -> None:
    every = await browser.post(ALL, content=content)
    one = await browser.post(f"{ALL}/loyal", content=content)

    assert (every.status_code, every.json()["errorCode"]) == (400, code)
    assert (one.status_code, one.json()["errorCode"], one.json()["key"]) == (400, code, "loyal")


async def test_what_is_not_shared_or_was_deleted_is_no_flag(
    browser: httpx.AsyncClient, db: Pool
) -> None:
    await audiences.delete(db, ["new"], NOW)

    for key in ("secret", "new", "nothing", "pilot/c"):
        answer = await browser.post(f"{ALL}/{key}", json=context("ada"))

        assert answer.status_code == 404
        assert answer.json()["errorCode"] == "FLAG_NOT_FOUND"


# Keys ------------------------------------------------------------------------------


async def test_a_key_is_shown_once_works_and_can_be_revoked(
    admin: httpx.AsyncClient, db: Pool
) -> None:
    made = await admin.post("/v1/keys", json={"kind": "browser", "name": "shop front"})
    secret, id = made.json()["key"], made.json()["id"]
    headers = {"X-API-Key": secret}
    allowed = await admin.post(ALL, json=context("ada"), headers={"Authorization": "", **headers})
    listed = (await admin.get("/v1/keys")).json()["items"]

    assert (made.status_code, allowed.status_code) == (201, 200)
    assert next(one for one in listed if one["id"] == id)["name"] == "shop front"
    assert all("key" not in one for one in listed)
    assert (await admin.delete(f"/v1/keys/{id}")).status_code == 204
    assert (await admin.delete(f"/v1/keys/{id}")).status_code == 404
    assert await keys.Keys(db).kind_of(secret) is None


async def test_the_last_admin_key_stays(admin: httpx.AsyncClient) -> None:
    listed = (await admin.get("/v1/keys")).json()["items"]
    [id] = [one["id"] for one in listed if one["kind"] == "admin"]

    assert (await admin.delete(f"/v1/keys/{id}")).status_code == 409
    await admin.post("/v1/keys", json={"kind": "admin", "name": "next"})
    assert (await admin.delete(f"/v1/keys/{id}")).status_code == 204
