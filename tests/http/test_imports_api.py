"""Importing files into lists over HTTP: every row counts once, whatever is sent twice."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from audiences.definition import AUDIENCE
from journeys.event import Event
from journeys.identity import CustomerId, ExternalId
from routing.identify import identify
from storage import audiences, customers, erasure, external_ids, members, merges
from storage.customers import Written
from storage.pool import Pool
from tests.http.reading_app import NOW, SECRET, client_of
from tests.live.system import event

pytestmark = pytest.mark.slow  # some seconds together

BASE = "/v1/audiences/newsletter"
LATER = datetime.now(UTC).timestamp() + 3600


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    for definition in (
        {"audience": "newsletter", "kind": "list"},
        {"audience": "loyal", "kind": "rule", "when": "true"},
    ):
        await audiences.publish(db, AUDIENCE.validate_python(definition), "h", NOW)
    async with client_of(db) as client:
        yield client


async def customer(db: Pool, user: str, **attributes: Any) -> CustomerId:
    id = CustomerId(uuid4())
    await customers.create(db, [id], NOW)
    await external_ids.link(db, {ExternalId("user_id", user): id}, NOW)
    await customers.write(db, [Written(id, attributes, dict.fromkeys(attributes, 0.0))])
    return id


async def start(client: httpx.AsyncClient, **options: Any) -> dict[str, Any]:
    body = {"file": "a", "create": options.get("id", "user_id") == "user_id", **options}
    answer = await client.post(f"{BASE}/imports", json=body)
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json())


async def put(
    client: httpx.AsyncClient,
    begun: dict[str, Any],
    content: str | bytes,
    number: int = 0,
    **more: Any,
) -> httpx.Response:
    headers = {"Content-Type": "text/csv", **more.pop("headers", {})}
    return await client.put(
        f"{BASE}/imports/{begun['id']}/chunks/{number}", content=content, headers=headers, **more
    )


async def complete(
    client: httpx.AsyncClient, begun: dict[str, Any], chunks: int = 1
) -> httpx.Response:
    return await client.post(f"{BASE}/imports/{begun['id']}/complete", json={"chunks": chunks})


async def imported(client: httpx.AsyncClient, text: str, **options: Any) -> dict[str, Any]:
    begun = await start(client, **options)
    answer = await put(client, begun, text)
    assert answer.status_code == 200, answer.text
    completed = await complete(client, begun)
    assert completed.status_code == 200, completed.text
    return dict(answer.json())


def counts(answer: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in answer["counts"].items() if count}


async def attributes(db: Pool, user: str) -> dict[str, Any]:
    found = await customers.by_external_id(db, user)
    assert found is not None
    return dict(found.attributes)


async def inside(client: httpx.AsyncClient) -> list[str]:
    page = (await client.get(f"{BASE}/members")).json()
    return sorted(one["ids"][0]["value"] for one in page["items"])


async def test_rows_make_customers_with_typed_attributes(
    client: httpx.AsyncClient, db: Pool
) -> None:
    ada = await customer(db, "ada", city="London", tier="gold")

    answer = await imported(
        client,
        "\ufeffNo;city;spent;vip;zip;since;tier;phone\r\n"
        'ada;"Paris; France";12.5;TRUE;01067;2026-01-31;;4915\r\n'
        "bob;Rome;3;false;10115;;silver;+49 15\r\n",
        map={"No": "user_id"},
        types={"zip": "text"},
    )

    assert counts(answer) == {"rows": 2, "created": 1, "matched": 1, "joined": 2}
    assert await attributes(db, "ada") == {
        "city": "Paris; France", "spent": 12.5, "vip": True, "zip": "01067",
        "since": "2026-01-31", "tier": "gold", "phone": "4915",
    }  # fmt: skip
    assert await attributes(db, "bob") == {
        "city": "Rome", "spent": 3, "vip": False, "zip": "10115", "tier": "silver",
        "phone": "+49 15",
    }  # fmt: skip
    assert (await members.of_customer(db, ada))[0].audience == "newsletter"


async def test_what_is_known_of_a_later_instant_stays(client: httpx.AsyncClient, db: Pool) -> None:
    ada = await customer(db, "ada")
    await customers.write(db, [Written(ada, {"tier": "gold"}, {"tier": LATER})])

    await imported(client, "user_id,tier,city\nada,lead,Rome\n")

    assert await attributes(db, "ada") == {"tier": "gold", "city": "Rome"}


async def test_a_chunk_counts_once_however_often_it_is_sent(
    client: httpx.AsyncClient, db: Pool
) -> None:
    begun = await start(client)
    first = (await put(client, begun, "user_id\nada\nbob\n\nada\n")).json()
    zipped = gzip.compress(b"user_id\nada\nbob\n\nada\n")
    again = await put(client, begun, zipped, headers={"Content-Encoding": "gzip"})
    other = await put(client, begun, "user_id\ncy\n")
    resumed = await start(client)

    assert counts(first) == {"rows": 3, "created": 2, "matched": 1, "joined": 2}
    assert again.json() == first
    assert (other.status_code, other.json()["title"]) == (409, "Another chunk")
    assert (resumed["id"], resumed["done"], counts(resumed)) == (begun["id"], [0], counts(first))
    assert await db.fetchval("SELECT count(*) FROM audience_changes") == 2


async def test_an_import_that_was_completed_is_not_done_again_unless_wanted(
    client: httpx.AsyncClient,
) -> None:
    await imported(client, "user_id\nada\n")
    repeated = await start(client)
    late = await put(client, repeated, "user_id\nbob\n", number=1)
    anew = await start(client, again=True)
    resumed = await start(client, again=True)

    assert repeated["state"] == "completed"
    assert (late.status_code, late.json()["title"]) == (409, "Closed")
    assert (anew["state"], anew["done"]) == ("open", [])
    assert anew["id"] != repeated["id"]
    assert resumed["id"] == (await start(client))["id"] == anew["id"]


async def test_an_import_lacks_no_chunk_when_it_is_completed(client: httpx.AsyncClient) -> None:
    begun = await start(client)
    await put(client, begun, "user_id\nada\n", number=1)

    answer = await complete(client, begun, 3)

    assert (answer.status_code, answer.json()["missing"]) == (409, [0, 2])
    assert (await client.get(f"{BASE}/imports/{begun['id']}")).json()["state"] == "open"


async def test_a_list_is_replaced_by_the_file(client: httpx.AsyncClient, db: Pool) -> None:
    await imported(client, "user_id\nada\nbob\ncy\ndan\n")
    begun = await start(client, mode="replace")
    await put(client, begun, "user_id\nbob\n", number=0)
    await put(client, begun, "user_id\neve\ndan\n", number=1)
    dan, cy = [await customers.by_external_id(db, name) for name in ("dan", "cy")]
    assert dan
    assert cy
    await merges.move(db, dan.id, cy.id)
    await db.execute("DELETE FROM audience_members WHERE customer = $1", dan.id)

    answer = (await complete(client, begun, 2)).json()

    assert counts(answer) == {"rows": 3, "created": 1, "matched": 2, "joined": 1, "left": 1}
    # Cy is not named, but Dan, whom the file names, has become Cy.
    assert await inside(client) == ["bob", "cy", "eve"]
    assert await db.fetchval("SELECT count(*) FROM import_members") == 0


async def test_a_file_without_one_good_row_does_not_empty_the_list(
    client: httpx.AsyncClient,
) -> None:
    await imported(client, "user_id\nada\n")
    begun = await start(client, mode="replace", create=False)
    await put(client, begun, "user_id\nnobody\n")

    assert (await complete(client, begun)).status_code == 409
    assert await inside(client) == ["ada"]


async def test_rows_take_members_off_the_list(client: httpx.AsyncClient, db: Pool) -> None:
    await imported(client, "user_id\nada\nbob\n")

    answer = await imported(
        client, "user_id,tier\nbob,gold\nzoe,gold\n", mode="remove", create=False
    )

    assert counts(answer) == {"rows": 2, "matched": 1, "failed": 1, "left": 1}
    assert await inside(client) == ["ada"]
    assert await attributes(db, "bob") == {}


async def test_an_attribute_names_exactly_one_customer(client: httpx.AsyncClient, db: Pool) -> None:
    await customer(db, "ada", email="ada@x.example")
    for twin in ("bob", "cy"):
        await customer(db, twin, email="both@x.example")

    answer = await imported(
        client,
        "Mail,tier\nada@x.example,gold\nboth@x.example,gold\nzoe@x.example,gold\n",
        id="email",
        map={"Mail": "email"},
    )

    assert counts(answer) == {"rows": 3, "matched": 1, "failed": 2, "joined": 1}
    assert [(one["line"], one["column"], one["kind"]) for one in answer["errors"]] == [
        (3, "Mail", "ambiguous"), (4, "Mail", "unknown"),
    ]  # fmt: skip
    assert await attributes(db, "ada") == {"email": "ada@x.example", "tier": "gold"}


async def test_whoever_was_erased_is_not_brought_back(client: httpx.AsyncClient, db: Pool) -> None:
    ada = await customer(db, "ada")
    await erasure.bury(db, ada, SECRET, NOW)
    await erasure.erase(db, ada)

    answer = await imported(client, "user_id,email\nada,ada@x.example\n")

    assert [one["kind"] for one in answer["errors"]] == ["erased"]
    assert await db.fetchval("SELECT count(*) FROM customers") == 0


async def test_imports_and_the_router_make_nobody_twice(
    client: httpx.AsyncClient, db: Pool
) -> None:
    users = [f"u{number}" for number in range(400)]
    traits: dict[str, Any] = {"email": "x@x.example"}
    events = [event("Customer Identified", user, kind="identify", **traits) for user in users]
    begun = [await start(client, file=word) for word in ("a", "b")]
    text = "user_id,tier\n" + "".join(f"{user},gold\n" for user in reversed(users))

    async def route(batch: list[Event]) -> None:
        for _ in range(20):
            try:
                await identify(db, batch, SECRET, NOW)
            except asyncpg.DeadlockDetectedError:  # the router, too, does it again
                continue
            return

    answers = await asyncio.gather(
        *(put(client, one, text) for one in begun),
        *(route(events[place : place + 50]) for place in range(0, len(events), 50)),
    )

    created = sum(answer.json()["counts"]["created"] for answer in answers if answer)
    joined = sum(answer.json()["counts"]["joined"] for answer in answers if answer)
    kept = await db.fetch("SELECT attributes FROM customers")
    assert [row["attributes"] for row in kept] == [{"tier": "gold", **traits}] * len(users)
    assert await db.fetchval("SELECT count(*) FROM external_ids") == len(users)
    assert joined == len(users)
    assert created <= len(users)


async def test_what_a_row_changes_is_judged_by_the_audiences_that_look_at_it(
    client: httpx.AsyncClient, db: Pool
) -> None:
    for name, when in {
        "rich": "customer.worth > 100.0",
        "absent": '!in_audience("newsletter")',
        "other": "customer.city == 'Rome'",
    }.items():
        rule = AUDIENCE.validate_python({"audience": name, "kind": "rule", "when": when})
        await audiences.publish(db, rule, "h", NOW)
        await audiences.mark_ready(db, name, 1, NOW)
    ada = await customer(db, "ada")
    bob = await customer(db, "bob")
    await imported(client, "user_id\nbob\n", create=False)
    await db.execute("DELETE FROM audience_queue")

    await imported(client, "user_id,worth\nada,500\nbob,\ncy,1\n", file="b")

    queued: dict[CustomerId, set[str]] = {}
    for row in await db.fetch("SELECT customer, audiences FROM audience_queue"):
        queued.setdefault(row["customer"], set()).update(row["audiences"])
    assert queued.pop(ada) == {"rich", "absent"}
    assert bob not in queued
    assert list(queued.values()) == [{"rich", "absent", "other", "loyal"}]


async def test_errors_name_line_and_column_and_can_be_read_later(
    client: httpx.AsyncClient,
) -> None:
    begun = await start(client, types={"n": "number"})
    first = await put(client, begun, b"user_id,n\nada,x\nbob\n,3\n")
    await put(client, begun, b"user_id,n\n\xff,1\ncy,2\n", number=1, params={"line": 5})
    pages = f"{BASE}/imports/{begun['id']}/errors"

    one = (await client.get(pages, params={"limit": 1})).json()
    two = (await client.get(pages, params={"limit": 2, "after": one["next"]})).json()

    assert one["items"] == first.json()["errors"]
    assert [(e["line"], e["column"], e["kind"]) for e in one["items"] + two["items"]] == [
        (2, "n", "not_number"), (3, None, "width"), (4, "user_id", "no_id"),
        (5, "user_id", "not_text"),
    ]  # fmt: skip
    assert two["next"] is None


async def test_json_lines_are_rows_too(client: httpx.AsyncClient, db: Pool) -> None:
    begun = await start(client, map={"no": "user_id", "x": None})
    answer = await put(
        client,
        begun,
        '{"no": 17, "spent": 2.5, "zip": "01067", "x": {}, "tier": null}\n'
        '{"no": "a", "deep": {"er": 1}}\n[]\n{"no": "b", "anonymous_id": "c"}\n'
        '{"no": "c", "d\\u0000": 1}\n',
        headers={"Content-Type": "application/x-ndjson"},
    )

    assert [(one["line"], one["kind"]) for one in answer.json()["errors"]] == [
        (2, "not_plain"), (3, "not_json"), (4, "other_id"),
        (5, "bad_name"),
    ]  # fmt: skip
    assert await attributes(db, "17") == {"spent": 2.5, "zip": "01067"}


@pytest.mark.parametrize(("path", "status", "said"), [
    ("nothing", 404, "the lists are: newsletter"),
    ("loyal", 409, "audience 'loyal' is a rule"),
])  # fmt: skip
async def test_only_a_list_takes_a_file(
    client: httpx.AsyncClient, path: str, status: int, said: str
) -> None:
    answer = await client.post(f"/v1/audiences/{path}/imports", json={"file": "a"})

    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("content", "media", "status", "said"), [
    ("email\nx\n", "text/csv", 400, "no column is the 'user_id'"),
    ("user_id,anonymous_id\nx,y\n", "text/csv", 400, "column 'anonymous_id' is a anonymous_id"),
    ("user_id,a,a\nx,1,2\n", "text/csv", 400, "columns 'a', 'a' are all 'a'"),
    ("", "text/csv", 400, "no column is"),
    ("user_id\nx\n", "application/xml", 415, "send text/csv"),
    ("user_id\n" + "x\n" * 20_001, "text/csv", 413, "20,000 rows"),
    ("x" * 5_000_000, "text/csv", 413, "4194304 bytes"),
])  # fmt: skip
async def test_a_chunk_that_cannot_be_read_is_refused(
    client: httpx.AsyncClient, content: str, media: str, status: int, said: str
) -> None:
    answer = await put(client, await start(client), content, headers={"Content-Type": media})

    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(("options", "said"), [
    ({"id": "email", "create": True}, "can only be matched"),
    ({"mode": "remove", "create": True}, "nobody is created to be removed"),
    ({"id": "a\0"}, "body.id"), ({"map": {"a": "\ud800"}}, "body.map.a"), ({"file": ""}, "file"),
])  # fmt: skip
async def test_options_that_make_no_sense_are_refused(
    client: httpx.AsyncClient, options: dict[str, Any], said: str
) -> None:
    answer = await client.post(
        f"{BASE}/imports",
        content=json.dumps({"file": "a", **options}),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_whoever_joins_or_leaves_by_a_file_is_told_which(
    client: httpx.AsyncClient, db: Pool
) -> None:
    ada, bob, cy = [await customer(db, name) for name in ("ada", "bob", "cy")]
    await imported(client, "user_id\nada\nbob\ncy\n", name="crm.csv")
    new = {"mode": "replace", "name": "new.csv"}
    await imported(client, "user_id\nada\nbob\n", **new)
    gone_by = {"mode": "remove", "create": False}
    await imported(client, "user_id\nbob\n", **gone_by)

    [joined] = await members.of_customer(db, ada)
    [left] = (await members.changes_of(db, cy))[:1]
    [gone] = (await members.changes_of(db, bob))[:1]
    assert (joined.why or {})["file"] == "crm.csv"
    assert left.why == {
        "import": (await start(client, **new))["id"],
        "file": "new.csv",
        "mode": "replace",
    }
    assert gone.why == {"import": (await start(client, **gone_by))["id"], "mode": "remove"}
