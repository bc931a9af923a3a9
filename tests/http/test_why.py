"""Why a customer is where it is, over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from cli.why import lines
from journeys.why import Why, WhyJourney
from storage import moves
from storage.moves import Nudged
from storage.pool import Pool
from tests.http.reading_app import NOW, Story, client_of, publish


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(db) as client:
        await publish(client)
        yield client


@pytest.fixture
async def ada(db: Pool, client: httpx.AsyncClient) -> Story:
    return await Story(db).begin()


async def why(client: httpx.AsyncClient) -> WhyJourney:
    response = await client.get("/v1/customers/ada/why?journey=cart")
    assert response.status_code == 200, response.text
    return Why.model_validate_json(response.content).journeys[0]


async def test_who_was_never_seen_is_told_so(client: httpx.AsyncClient, ada: Story) -> None:
    found = await why(client)

    assert (found.entered, found.not_entered) == (False, "never_seen")


async def test_a_refusal_names_the_condition_and_its_values(
    client: httpx.AsyncClient, ada: Story
) -> None:
    await ada.refuse(await ada.event("Checkout Started", total=12.5), 12.5)

    (refused,) = (await why(client)).refusals

    assert (refused.name, refused.reason) == ("Checkout Started", "condition")
    assert refused.why == {
        "condition": "event.total > 20.0", "holds": False, "values": {"event.total": 12.5}
    }  # fmt: skip


async def test_an_event_before_publishing_is_named(client: httpx.AsyncClient, ada: Story) -> None:
    await ada.event("Checkout Started", timedelta(days=-30), total=80.5)

    assert (await why(client)).not_entered == "before_published"


async def test_an_instance_says_where_it_stands_and_until_when(
    client: httpx.AsyncClient, ada: Story
) -> None:
    id = await ada.enter(await ada.event("Checkout Started", total=80.5))
    before = (await why(client)).passages[0].stands
    await ada.wait_and_send(id)

    (passage,) = (await why(client)).passages

    assert before is not None
    assert (before.step, before.until) == ("settle", NOW + timedelta(minutes=45))
    assert passage.stands is not None
    assert passage.stands.waits_for == ("clicked: Message Clicked of reminder",)
    assert passage.stands.until == NOW + timedelta(days=1, minutes=45)
    assert [(visit.step, visit.exit) for visit in passage.visits] == [
        ("settle", "waited"), ("reminder", "sent"), ("reaction", None),
    ]  # fmt: skip
    assert [message.state for message in passage.messages] == ["accepted"]


async def test_an_exit_names_its_event(client: httpx.AsyncClient, ada: Story) -> None:
    id = await ada.enter(await ada.event("Checkout Started", total=80.5))
    order = await ada.event("Order Completed", timedelta(minutes=5))
    at = NOW + timedelta(minutes=5)
    await moves.exit(ada.pool, [Nudged(id, order, at, {"event": "Order Completed"})])

    (passage,) = (await why(client)).passages

    assert (passage.state, passage.stands) == ("exited", None)
    assert passage.why == {"event": "Order Completed"}


async def test_a_journey_that_is_not_there(client: httpx.AsyncClient, ada: Story) -> None:
    assert (await client.get("/v1/customers/ada/why?journey=none")).status_code == 404


async def test_the_whole_answer_can_be_told(client: httpx.AsyncClient, ada: Story) -> None:
    await ada.wait_and_send(
        await ada.enter(await ada.event("Checkout Started", total=80.5)), "skipped"
    )

    answer = Why.model_validate_json((await client.get("/v1/customers/ada/why")).content)

    assert [line.plain for line in lines(answer)] == [
        "cart  entered         2026-11-20 10:02  by Checkout Started, version 1: "
        "event.total > 20.0 was true: event.total = 80.5",
        "        step          2026-11-20 10:47  settle → waited",
        "        step          2026-11-20 10:47  reminder → not_sent: "
        "the customer has no address on that channel",
        "        message       2026-11-20 10:47  email of reminder: not sent, "
        "the customer has no address on that channel",
        "        inside                          at reaction, "
        "waits for clicked: Message Clicked of reminder, until 2026-11-21 10:47",
    ]
