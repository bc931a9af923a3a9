"""Reading, exporting and erasing customers, over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from storage import members
from storage.members import Change
from storage.pool import Pool
from tests.http.reading_app import NOW, FakeEngine, Story, client_of, publish


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def client(db: Pool, engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(db, engine) as client:
        await publish(client)
        yield client


@pytest.fixture
async def ada(db: Pool, client: httpx.AsyncClient) -> Story:
    story = await Story(db).begin()
    await story.wait_and_send(await story.enter(await story.event("Checkout Started", total=80.5)))
    refused = await story.event("Checkout Started", timedelta(hours=2), total=12.5)
    await story.refuse(refused, 12.5)
    return story


async def test_a_customer_is_found_by_any_of_its_ids(client: httpx.AsyncClient, ada: Story) -> None:
    by_user = (await client.get("/v1/customers/ada")).json()
    by_ours = (await client.get(f"/v1/customers/{ada.customer}")).json()

    assert by_user == by_ours
    assert by_user["ids"] == [{"kind": "user_id", "value": "ada"}]
    assert by_user["attributes"] == {"email": "ada@example.com"}
    assert (await client.get("/v1/customers/nobody")).status_code == 404


async def test_customers_are_listed_page_by_page(
    client: httpx.AsyncClient, db: Pool, ada: Story
) -> None:
    for name in ("bob", "cy"):
        await Story(db, name).begin()

    first = (await client.get("/v1/customers?limit=2")).json()
    rest = (await client.get("/v1/customers", params={"limit": 2, "after": first["next"]})).json()

    found = [one["ids"][0]["value"] for one in (*first["items"], *rest["items"])]
    assert sorted(found) == ["ada", "bob", "cy"]
    assert rest["next"] is None


async def test_a_timeline_has_everything_in_order(client: httpx.AsyncClient, ada: Story) -> None:
    lines = (await client.get("/v1/customers/ada/timeline?order=oldest")).json()["items"]

    assert [(one["kind"], one["name"], one["state"]) for one in lines] == [
        ("event", "Checkout Started", "track"),
        ("refusal", "Checkout Started", None),
        ("entry", None, None),
        ("step", "settle", "waited"),
        ("step", "reminder", "sent"),
        ("step", "reaction", None),
        ("message", "reminder", "accepted"),
        ("event", "Checkout Started", "track"),
    ]  # fmt: skip


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_of_a_timeline_miss_and_repeat_nothing(
    client: httpx.AsyncClient, ada: Story, order: str
) -> None:
    whole = (await client.get(f"/v1/customers/ada/timeline?order={order}")).json()["items"]

    pages, after = [], None
    while True:
        params = {"order": order, "limit": "3", **({"after": after} if after else {})}
        page = (await client.get("/v1/customers/ada/timeline", params=params)).json()
        pages += page["items"]
        after = page["next"]
        if after is None:
            break

    assert pages == whole


async def test_a_made_up_cursor_is_refused(client: httpx.AsyncClient, ada: Story) -> None:
    assert (await client.get("/v1/customers/ada/timeline?after=x")).status_code == 400


async def test_an_export_holds_every_row(client: httpx.AsyncClient, db: Pool, ada: Story) -> None:
    for name, joined in (("loyal", True), ("old", True), ("old", False)):
        await members.change(db, [Change(name, ada.customer, joined=joined, at=NOW)])

    export = (await client.get("/v1/customers/ada/export")).json()

    assert {table: len(export[table]) for table in export if table != "customer"} == {
        "events": 2, "instances": 1, "trail": 3, "messages": 1, "refusals": 1,
        "memberships": 1, "membership_changes": 3,
    }  # fmt: skip


async def test_an_erased_customer_is_gone_here_and_in_temporal(
    client: httpx.AsyncClient, ada: Story, db: Pool, engine: FakeEngine
) -> None:
    workflow = f"cart/{ada.customer}"
    engine.forgotten.add(workflow)

    answer = await client.delete("/v1/customers/ada")
    again = await client.delete("/v1/customers/ada")

    assert (answer.status_code, answer.json()["workflows"]) == (200, 1)
    assert engine.calls == [("terminate", workflow), ("delete", workflow)]
    assert (again.status_code, again.json()["is_repeat"]) == (200, True)
    assert (await client.get("/v1/customers/ada")).status_code == 404
    for table in (
        "customers",
        "external_ids",
        "events",
        "instances",
        "trail",
        "messages",
        "refusals",
    ):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0, table


async def test_nothing_is_erased_while_temporal_is_away(
    client: httpx.AsyncClient, ada: Story, engine: FakeEngine
) -> None:
    engine.is_away = True

    assert (await client.delete("/v1/customers/ada")).status_code == 503
    assert (await client.get("/v1/customers/ada")).status_code == 200


async def test_who_never_was_cannot_be_erased(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/v1/customers/nobody")).status_code == 404
