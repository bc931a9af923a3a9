"""Members over HTTP: pages of them, now and as it was, and lists put together by hand."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from audiences.definition import AUDIENCE
from storage import audiences, members
from storage.members import Change
from storage.pool import Pool
from tests.http.reading_app import NOW, Story, client_of

BASE = "/v1/audiences/newsletter/members"


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    for definition in (
        {"audience": "newsletter", "kind": "list"},
        {"audience": "pilot", "kind": "composition", "union": ["newsletter"], "parts": {"a": 50}},
    ):
        await audiences.publish(db, AUDIENCE.validate_python(definition), "h", NOW)
    async with client_of(db) as client:
        yield client


async def everybody(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after = None
    while True:
        given = {**query, "limit": 2, **({"after": after} if after else {})}
        page = (await client.get(BASE, params=given)).json()
        items += page["items"]
        after = page["next"]
        if after is None:
            return items


async def test_a_list_is_put_together_by_any_id(client: httpx.AsyncClient, db: Pool) -> None:
    ada, bob = [await Story(db, name).begin() for name in ("ada", "bob")]

    body = {"add": ["ada", str(bob.customer), "nobody", str(ada.customer)]}
    first = await client.post(BASE, json=body)
    second = await client.post(BASE, json={"add": ["ada"], "remove": ["bob", "nowhere"]})

    assert first.json() == {"joined": 2, "left": 0, "unknown": ["nobody"]}
    assert second.json() == {"joined": 0, "left": 1, "unknown": ["nowhere"]}
    [one] = await everybody(client, attribute=["email", "missing"])
    assert one["ids"] == [{"kind": "user_id", "value": "ada"}]
    assert one["attributes"] == {"email": "ada@example.com"}
    assert one["why"] == {"by": "hand", "key": "tests"}
    left = (await client.get("/v1/customers/bob/timeline?limit=1")).json()["items"][0]
    assert (left["kind"], left["name"], left["state"]) == ("membership", "newsletter", "left")
    assert left["detail"] == {"by": "hand", "key": "tests"}


async def test_members_are_paged_now_and_as_it_was(client: httpx.AsyncClient, db: Pool) -> None:
    stories = [await Story(db, f"user-{number}").begin() for number in range(5)]
    joined = [Change("newsletter", one.customer, joined=True, at=NOW) for one in stories]
    await members.change(db, joined)
    left = Change("newsletter", stories[0].customer, joined=False, at=NOW + timedelta(hours=1))
    await members.change(db, [left])

    now = await everybody(client)
    then = await everybody(client, at=(NOW + timedelta(minutes=1)).isoformat())

    assert [one["customer"] for one in now] == sorted(str(one.customer) for one in stories[1:])
    assert [one["customer"] for one in then] == sorted(str(one.customer) for one in stories)
    assert await everybody(client, at=(NOW - timedelta(minutes=1)).isoformat()) == []


async def test_a_part_has_members_of_its_own(client: httpx.AsyncClient, db: Pool) -> None:
    ada = await Story(db).begin()
    await members.change(db, [Change("pilot/a", ada.customer, joined=True, at=NOW)])

    part = await client.get("/v1/audiences/pilot/members", params={"part": "a"})
    none = await client.get("/v1/audiences/pilot/members", params={"part": "b"})

    assert [one["customer"] for one in part.json()["items"]] == [str(ada.customer)]
    assert none.json()["detail"] == "audience 'pilot' has no part 'b'; the parts are: a"


@pytest.mark.parametrize(("path", "body", "status", "said"), [
    ("newsletter", {"add": ["x"], "remove": ["x"]}, 422, "body: 'x' cannot join and leave at once"),
    ("newsletter", {"add": [f"u{n}" for n in range(1001)]}, 422, "1000 ids are allowed"),
    ("newsletter", {"add": ["a\0b"]}, 422, "add.0"),
    ("newsletter", {"add": "x"}, 422, "body.add: Input should be a list"),
    ("pilot", {"add": ["x"]}, 409, "is a composition"),
    ("nothing", {"add": ["x"]}, 404, "the lists are: newsletter"),
])  # fmt: skip
async def test_what_cannot_be_put_on_a_list_is_refused(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = await client.post(f"/v1/audiences/{path}/members", json=body)

    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
