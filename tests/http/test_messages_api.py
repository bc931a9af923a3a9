"""Listing messages over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from storage.messages import MessageState
from storage.pool import Pool
from tests.http.reading_app import Story, client_of, publish


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(db) as client:
        await publish(client)
        states: dict[str, MessageState] = {"ada": "accepted", "bob": "skipped", "cy": "accepted"}
        for name, state in states.items():
            one = await Story(db, name).begin()
            entry = await one.event("Checkout Started", total=80.5)
            await one.wait_and_send(await one.enter(entry), state)
        yield client


async def items(client: httpx.AsyncClient, **query: str | int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await client.get("/v1/messages", params=query)).json()[
        "items"
    ]
    return found


async def test_messages_are_narrowed_by_customer_journey_and_state(
    client: httpx.AsyncClient,
) -> None:
    assert len(await items(client)) == 3
    assert len(await items(client, state="accepted", journey="cart")) == 2
    assert await items(client, customer="nobody") == []
    (bob,) = await items(client, customer="bob")
    assert (bob["state"], bob["reason"], bob["class"]) == ("skipped", "no_address", "marketing")


async def test_messages_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/messages?limit=2")).json()
    rest = (await client.get("/v1/messages", params={"after": first["next"], "limit": 2})).json()

    ids = {one["id"] for one in (*first["items"], *rest["items"])}
    assert (len(ids), rest["next"]) == (3, None)


async def test_a_state_that_is_none_is_malformed(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/messages?state=lost")).status_code == 422
