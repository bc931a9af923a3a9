"""Publishing journeys and reading them back, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from storage import journeys
from storage.pool import Pool
from tests.http.reading_app import CART, TEMPLATES, Story, client_of, publish


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(db) as client:
        yield client


def body(**more: Any) -> dict[str, Any]:
    return {"definition": {**CART, **more}, "templates": TEMPLATES}


async def test_the_same_definition_is_published_once(client: httpx.AsyncClient) -> None:
    first = await client.put("/v1/journeys/cart", json=body())
    again = await client.put("/v1/journeys/cart", json=body())
    other = await client.put("/v1/journeys/cart", json=body(description="Now with words."))

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert [(one.json()["version"], one.json()["is_new"]) for one in (first, again, other)] == [
        (1, True), (1, False), (2, True),
    ]  # fmt: skip


async def test_another_template_is_another_version(client: httpx.AsyncClient) -> None:
    await publish(client)
    templates = {"reminder": {"parts": {"subject": "Your cart", "text": "It still waits."}}}

    answer = await client.put("/v1/journeys/cart", json={**body(), "templates": templates})

    assert answer.json()["version"] == 2


async def test_every_error_is_a_finding(client: httpx.AsyncClient) -> None:
    steps = [
        {"id": "a", "kind": "dance"},
        {"id": "b", "kind": "send", "channel": "email", "template": "none", "then": "nowhere"},
    ]

    answer = await client.put("/v1/journeys/cart", json=body(steps=steps))

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert {one["step"] for one in answer.json()["findings"]} >= {"a", "b"}
    assert (await client.get("/v1/journeys")).json() == {"items": []}


async def test_findings_in_a_text_name_their_lines(client: httpx.AsyncClient) -> None:
    text = "journey: cart\nentry: {event: X}\nsteps:\n  - {id: a, kind: wait, duration: soon}\n"

    answer = await client.put("/v1/journeys/cart", json={"text": text})

    assert [(one["line"], one["step"]) for one in answer.json()["findings"]] == [(4, "a")]


async def test_the_name_of_the_path_counts(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/journeys/basket", json=body())

    assert answer.status_code == 400
    assert answer.json()["detail"] == (
        "the definition is of 'cart'; publish it at /v1/journeys/cart"
    )


async def test_a_body_without_a_definition_is_malformed(client: httpx.AsyncClient) -> None:
    assert (await client.put("/v1/journeys/cart", json={"templates": {}})).status_code == 422


async def test_branches_keep_the_order_they_are_written_in(
    client: httpx.AsyncClient, db: Pool
) -> None:
    branches = {"zebra": "customer.a == 1.0", "ape": "customer.b == 1.0", "b": "customer.c == 1.0"}
    steps = [{"id": "which", "kind": "branch", "branches": branches}]
    await publish(client, {"journey": "cart", "entry": {"event": "X"}, "steps": steps})

    plan = await journeys.plan(db, "cart", 1)
    shown = (await client.get("/v1/journeys/cart")).json()["definition"]

    assert plan is not None
    assert plan.step("which").exits == ("zebra", "ape", "b", "otherwise")
    assert list(shown["steps"][0]["branches"]) == ["zebra", "ape", "b"]


async def test_what_was_published_can_be_published_again(client: httpx.AsyncClient) -> None:
    await publish(client)
    shown = (await client.get("/v1/journeys/cart?version=1")).json()

    again = await client.put(
        "/v1/journeys/cart",
        json={
            "definition": shown["definition"],
            "templates": shown["templates"],
        },
    )

    assert (again.status_code, shown["shown_version"]) == (200, 1)
    assert [one["version"] for one in shown["versions"]] == [1]


async def test_a_journey_or_version_that_is_not_there(client: httpx.AsyncClient) -> None:
    await publish(client)

    assert (await client.get("/v1/journeys/none")).status_code == 404
    assert (await client.get("/v1/journeys/cart?version=7")).status_code == 404
    assert (await client.post("/v1/journeys/none/pause")).status_code == 404


@pytest.mark.parametrize(("verbs", "state"), [
    (["pause"], "paused"), (["pause", "resume"], "open"), (["close"], "closed"),
    (["close", "open"], "open"), (["stop"], "stopped"),
])  # fmt: skip
async def test_verbs_change_who_may_do_what(
    client: httpx.AsyncClient, verbs: list[str], state: str
) -> None:
    await publish(client)

    for verb in verbs:
        answer = await client.post(f"/v1/journeys/cart/{verb}")

    assert answer.json()["state"] == state
    assert (await client.get("/v1/journeys")).json()["items"][0]["state"] == state


async def test_a_report_adds_up(client: httpx.AsyncClient, db: Pool) -> None:
    await publish(client)
    ada = await Story(db).begin()
    await ada.wait_and_send(await ada.enter(await ada.event("Checkout Started", total=80.5)))
    bob = await Story(db, "bob").begin()
    await bob.enter(await bob.event("Checkout Started", total=30.0))
    cy = await Story(db, "cy").begin()
    await cy.refuse(await cy.event("Checkout Started", total=12.5), 12.5)

    report = (await client.get("/v1/journeys/cart/report")).json()

    assert (report["entered"], report["customers"], report["still_inside"]) == (2, 2, 2)
    assert [(one["step"], one["visits"], one["still_here"]) for one in report["steps"]] == [
        ("settle", 2, 1), ("reminder", 1, 0), ("reaction", 1, 1),
    ]  # fmt: skip
    assert report["messages"] == [
        {"step": "reminder", "channel": "email", "state": "accepted", "reason": None, "count": 1}
    ]
    assert [(one["reason"], one["decided_by"], one["events"]) for one in report["refusals"]] == [
        ("condition", "event.total > 20.0", 1)
    ]
    assert report["goal"]["within"] == "14d"
    assert (await client.get("/v1/journeys")).json()["items"][0]["inside"] == 2


async def test_without_an_admin_key_nothing_is_shown(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/journeys", headers={"Authorization": "Bearer wrong"})

    assert answer.status_code == 401
