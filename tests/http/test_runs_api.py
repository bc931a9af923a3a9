"""Beginning, watching and holding runs, and business events, over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from audiences.definition import AUDIENCE
from storage import audiences, journeys, runs
from storage.pool import Pool
from tests.http.reading_app import NOW, FakeEngine, client_of, publish

REST = [{"id": "rest", "kind": "wait", "duration": "1d"}]
LOYAL: dict[str, Any] = {
    "journey": "loyal-news",
    "entry": {"audience": "loyal", "schedule": {"cron": "0 9 * * *"}},
    "steps": REST,
}
STOCK: dict[str, Any] = {
    "journey": "back-in-stock",
    "entry": {"business_event": "Back In Stock", "when": "event.sku == customer.wish"},
    "steps": REST,
}
EVENT = {"name": "Back In Stock", "messageId": "stock-1", "properties": {"sku": "4711"}}


async def test_a_run_that_is_asked_for_twice_with_one_key_is_one(db: Pool) -> None:
    engine, key = FakeEngine(), {"Idempotency-Key": "monday"}
    async with client_of(db, engine) as client:
        await publish(client, LOYAL)
        first = await client.post("/v1/journeys/loyal-news/runs", headers=key)
        again = await client.post("/v1/journeys/loyal-news/runs", headers=key)
        other = await client.post("/v1/journeys/loyal-news/runs")
        page = (await client.get("/v1/journeys/loyal-news/runs", params={"limit": 1})).json()
        rest = await client.get("/v1/journeys/loyal-news/runs", params={"after": page["next"]})

    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["audience"] == "loyal"
    assert {page["items"][0]["id"], *(one["id"] for one in rest.json()["items"])} == {
        first.json()["id"], other.json()["id"],
    }  # fmt: skip
    assert ("begin", first.json()["workflow_id"]) in engine.calls


async def test_publishing_warns_of_an_audience_that_is_not_there(db: Pool) -> None:
    audience = AUDIENCE.validate_python({"audience": "loyals", "kind": "list"})
    await audiences.publish(db, audience, "x", NOW)
    async with client_of(db) as client:
        body = {"definition": LOYAL, "templates": {}}
        missing = await client.put("/v1/journeys/loyal-news", json=body)
        body["definition"] = {**LOYAL, "entry": {"audience": "loyals", "on": "joining"}}
        there = await client.put("/v1/journeys/loyal-news", json=body)

    [warning] = missing.json()["warnings"]
    assert (warning["code"], warning["hint"]) == ("no_audience", "did you mean 'loyals'?")
    assert there.json()["warnings"] == []


async def test_a_run_is_kept_while_temporal_is_away(db: Pool) -> None:
    async with client_of(db, FakeEngine(is_away=True)) as client:
        await publish(client, LOYAL)

        answer = await client.post("/v1/journeys/loyal-news/runs")

    assert answer.status_code == 201
    assert await runs.get(db, UUID(answer.json()["id"])) is not None


async def test_pausing_resuming_and_cancelling_twice_changes_nothing(db: Pool) -> None:
    async with client_of(db) as client:
        await publish(client, LOYAL)
        id = (await client.post("/v1/journeys/loyal-news/runs")).json()["id"]

        async def state(verb: str) -> str:
            answer = await client.post(f"/v1/runs/{id}/{verb}")
            assert answer.status_code == 200
            return str(answer.json()["state"])

        verbs = ("pause", "pause", "resume", "resume", "cancel", "cancel", "resume", "pause")
        assert [await state(verb) for verb in verbs] == [
            "paused", "paused", "running", "running", *["cancelled"] * 4,
        ]  # fmt: skip
        shown = (await client.get(f"/v1/runs/{id}")).json()
        missing = await client.post(f"/v1/runs/{uuid4()}/pause")

    assert shown["why"] == "it was cancelled"
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("entry", "verb", "title"),
    [
        ({"event": "X"}, None, "No audience"),
        ({"date": "customer.birthday", "at": "09:00"}, None, "No audience"),
        ({"business_event": "Y"}, None, "No audience"),
        (LOYAL["entry"], "pause", "Not entered"),
        (LOYAL["entry"], "close", "Not entered"),
    ],
)
async def test_what_no_audience_can_enter_now_is_refused(
    db: Pool, entry: dict[str, Any], verb: str | None, title: str
) -> None:
    async with client_of(db) as client:
        await publish(client, {**LOYAL, "entry": entry})
        if verb is not None:
            await client.post(f"/v1/journeys/loyal-news/{verb}")

        answer = await client.post("/v1/journeys/loyal-news/runs")

    assert (answer.status_code, answer.json()["title"]) == (409, title)


async def test_a_business_event_counts_once_and_begins_what_listens(db: Pool) -> None:
    engine = FakeEngine()
    async with client_of(db, engine) as client:
        await publish(client, STOCK)
        await publish(client, {**STOCK, "journey": "restocked-too"})
        await publish(client, {**STOCK, "journey": "resting"})
        await publish(client, LOYAL)
        await journeys.change(db, "resting", NOW, "pause")

        first = await client.post("/v1/business-events", json=EVENT)
        again = await client.post("/v1/business-events", json={**EVENT, "properties": {}})

    told, repeated = first.json(), again.json()
    assert (first.status_code, told["is_new"], repeated["is_new"]) == (202, True, False)
    assert [one["journey"] for one in told["runs"]] == ["back-in-stock", "restocked-too"]
    assert told["runs"] == repeated["runs"]
    assert told["not_begun"] == [{"journey": "resting", "state": "paused"}]
    run = await runs.get(db, UUID(told["runs"][0]["run"]))
    assert run is not None
    assert (run.cause, run.audience, run.entry) == ("event", None, {"sku": "4711"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**EVENT, "properties": {"text": "x" * 70_000}}, 413),
        ({**EVENT, "messageId": ""}, 422),
        ({"messageId": "a"}, 422),
        ({**EVENT, "timestamp": "2026-11-24T12:00:00"}, 422),
    ],
)
async def test_a_business_event_has_limits(db: Pool, body: dict[str, Any], status: int) -> None:
    async with client_of(db) as client:
        answer: httpx.Response = await client.post("/v1/business-events", json=body)

    assert answer.status_code == status
    assert await db.fetchval("SELECT count(*) FROM business_events") == 0
