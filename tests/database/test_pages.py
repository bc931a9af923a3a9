"""What a page of a broadcast writes: each message once, and never after its instance has ended."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from journeys.effects import Inside
from storage import attempts, broadcasts, consent, journeys, messages, moves, pages, runs, trail
from storage.attempts import Begin
from storage.pages import Common, Copy
from storage.pool import Pool
from storage.trail import Visit
from tests.database.broadcasts import NOW, Broadcast, column, people

LATER = NOW + timedelta(seconds=1)


def begin(one: Inside, attempt: UUID, step: str = "news", visit: int = 1) -> Copy:
    common = Common(step, visit, "email", "marketing", "news", "at_most_once", "smtp")
    return Copy(uuid4(), one.id, attempt, NOW, common)


def alone(one: Inside) -> Begin:
    """The same by those who begin one message at a time."""
    return Begin(
        uuid4(), one.id, "news", 1, "email", "marketing", "news", "at_most_once", uuid4(), "smtp",
        NOW,
    )  # fmt: skip


def settle(
    one: Copy,
    state: messages.MessageState = "accepted",
    reason: str | None = None,
    detail: str | None = None,
    provider_id: str | None = None,
) -> Copy:
    said = state, reason, detail, provider_id
    return Copy(one.id, one.instance, one.attempt, LATER, one.common, *said)


def left(one: Inside, visit: int = 1, position: str | None = None) -> Visit:
    return Visit(
        one.id, one.entered_at, visit, f"step{visit}", NOW, LATER, "sent", {"visit": visit},
        {"of": visit} if visit > 1 else None, position, None if position else "completed",
    )  # fmt: skip


async def states(db: Pool, begins: Sequence[Copy]) -> list[str | None]:
    return await column(db, "messages", "state", [one.id for one in begins])


async def entered(db: Pool, count: int) -> tuple[Broadcast, list[Inside]]:
    news = await Broadcast.begun(db)
    return news, await news.enter(await people(db, count))


async def test_messages_are_begun_and_settled_in_one_statement(db: Pool) -> None:
    _, page = await entered(db, 4)
    attempt = uuid4()
    begins = [begin(one, attempt) for one in page]

    assert await pages.exchange(db, begins[:2], []) == {one.id for one in begins[:2]}
    settles = [settle(begins[0], detail="250 ok", provider_id="a"), settle(begins[1], "refused")]
    assert await pages.exchange(db, begins[2:], settles) == {one.id for one in begins[2:]}
    await pages.exchange(db, [], [settle(one, reason="so", detail="250") for one in begins[2:]])

    assert await states(db, begins) == ["accepted", "refused", "accepted", "accepted"]
    ids = [one.id for one in begins]
    assert await column(db, "messages", "detail", ids) == ["250 ok", None, "250", "250"]
    assert await column(db, "messages", "provider_id", ids) == ["a", None, None, None]
    assert await column(db, "messages", "reason", ids) == [None, None, "so", "so"]
    assert await column(db, "messages", "settled_at", ids) == [LATER] * 4


async def test_steps_that_differ_are_begun_together_and_settles_are_written_once(db: Pool) -> None:
    _, page = await entered(db, 2)
    attempt = uuid4()
    first = begin(page[0], attempt)
    await pages.exchange(db, [first], [])
    begins = [begin(page[0], attempt, "more", 2), begin(page[1], attempt)]

    await pages.exchange(db, begins, [settle(first)])

    assert await states(db, [first, *begins]) == ["accepted", "sending", "sending"]
    assert await column(db, "messages", "step", [one.id for one in begins]) == ["more", "news"]


async def test_doing_it_twice_is_harmless_and_what_another_attempt_has_is_not_begun(
    db: Pool,
) -> None:
    _, page = await entered(db, 3)
    attempt = uuid4()
    first, *others = (begin(one, attempt) for one in page)
    await pages.exchange(db, [first], [])

    for _ in range(2):
        assert await pages.exchange(db, others, [settle(first)]) == {one.id for one in others}
    for one in others:
        one.attempt = uuid4()
    other = begin(page[0], uuid4())
    assert await pages.exchange(db, [*others, other], []) == {other.id}

    assert await states(db, [first, *others]) == ["accepted", "sending", "sending"]
    attempted = await column(db, "messages", "attempt", [one.id for one in others])
    assert attempted == [attempt, attempt]


async def test_a_deferred_message_is_begun_again(db: Pool) -> None:
    _, page = await entered(db, 1)
    one = begin(page[0], uuid4())
    await pages.exchange(db, [one], [])
    await pages.exchange(db, [], [settle(one, "deferred", reason="later")])
    one.attempt = uuid4()

    assert await pages.exchange(db, [one], []) == {one.id}

    found = await messages.get(db, one.id)
    assert found is not None
    assert (found.state, found.attempt, found.attempts) == ("sending", one.attempt, 2)


async def test_an_answer_is_written_beside_its_message(db: Pool) -> None:
    _, page = await entered(db, 120)
    attempt = uuid4()
    begins = [begin(one, attempt) for one in page]
    ids = [one.id for one in begins]
    await pages.exchange(db, begins, [])
    before = await column(db, "messages", "ctid", ids)

    detail, id = "250 2.0.0 Ok: queued as 4FxYz12abc", f"<{ids[0]}@x.example>"
    settles = [settle(one, detail=detail, provider_id=id) for one in begins]
    for start in range(0, len(begins), 36):
        await pages.exchange(db, [], settles[start : start + 36])

    after = await column(db, "messages", "ctid", ids)
    assert len({block for block, _ in before}) > 3
    assert [block for block, _ in after] == [block for block, _ in before]


@pytest.mark.parametrize("held", ["instance", "run", "journey", "stopped"])
async def test_what_is_over_or_held_back_is_not_begun(db: Pool, held: str) -> None:
    news, [one, other] = await entered(db, 2)
    match held:
        case "instance":
            await moves.end(db, [one.id, other.id], NOW, "exited")
        case "run":
            await runs.pause(db, news.run.id)
        case "journey":
            await journeys.change(db, "news", LATER, "pause")
        case _:
            await journeys.change(db, "news", LATER, "stop")

    assert await pages.exchange(db, [begin(one, uuid4())], []) == set()
    assert await attempts.begin(db, [alone(other)]) == set()
    assert await db.fetchval("SELECT count(*) FROM messages") == 0


async def test_nothing_is_begun_after_an_end_that_is_being_written(db: Pool) -> None:
    _, [one, other] = await entered(db, 2)
    attempt = uuid4()
    begins = [begin(one, attempt), begin(other, attempt)]

    async with db.acquire() as ender, ender.transaction():
        await moves.end(ender, [one.id], NOW, "exited")
        asked = asyncio.create_task(pages.exchange(db, begins, []))
        done, _ = await asyncio.wait({asked}, timeout=0.2)
        assert not done

    assert await asked == {begins[1].id}


async def test_a_page_is_written_down_and_its_instances_end(db: Pool) -> None:
    _, [ada, bob, eve] = await entered(db, 3)
    visits = [left(ada, 1, "step2"), left(bob), left(ada, 2), left(eve, 1, "step2")]

    for _ in range(2):
        await pages.close(db, visits)

    for one, of in ((ada, [visits[0], visits[2]]), (bob, [visits[1]]), (eve, [visits[3]])):
        said = await trail.of_instance(db, NOW, one.id)
        assert [(v.visit, v.step, v.at, v.left_at, v.exit, v.result, v.why) for v in said] == [
            (v.visit, v.step, v.at, v.left_at, v.exit, v.result, v.why) for v in of
        ]
    ids = [ada.id, bob.id, eve.id]
    assert await column(db, "instances", "visit", ids) == [2, 1, 1]
    assert await column(db, "instances", "position", ids) == [None, None, "step2"]
    assert await column(db, "instances", "outcome", ids) == ["completed", "completed", None]
    assert await column(db, "instances", "ended_at", ids) == [LATER, LATER, None]


async def test_what_others_have_written_stays_but_who_came_to_the_end_was_not_cancelled(
    db: Pool,
) -> None:
    news, [ada, bob, eve] = await entered(db, 3)
    await trail.write(db, [Visit(ada.id, NOW, 1, "step1", NOW, NOW, "skipped", position="step2")])
    await moves.end(db, [ada.id], NOW, "exited")
    await broadcasts.end_all(db, news.run.id, NOW, "cancelled")

    await pages.close(db, [left(ada), left(bob), left(eve, 1, "step2")])

    ids = [ada.id, bob.id, eve.id]
    assert await column(db, "instances", "outcome", ids) == ["exited", "completed", "cancelled"]
    assert [one.exit for one in await trail.of_instance(db, NOW, ada.id)] == ["skipped"]
    assert [one.exit for one in await trail.of_instance(db, NOW, bob.id)] == ["sent"]


async def test_readers_are_told_with_what_they_do_not_want(db: Pool) -> None:
    _, [ada, bob, eve] = await entered(db, 3)
    for one, address in ((ada, "Ada@x.example"), (bob, "bob@x.example")):
        await db.execute(
            "UPDATE customers SET attributes = $2 WHERE id = $1", one.customer, {"email": address}
        )
    await consent.unsubscribe(db, ada.customer, "email", "news", NOW)
    await consent.unsubscribe(db, ada.customer, "*", "offers", NOW)
    await consent.suppress(db, "email", "ada@x.example", b"secret", "bounced", NOW)
    ids = [ada.id, bob.id, eve.id, uuid4()]

    found = await broadcasts.readers(db, ids, {"email": "email", "sms": "phone"}, b"secret")

    assert set(found) == {ada.id, bob.id, eve.id}
    reader = found[ada.id]
    assert (reader.customer, reader.attributes) == (ada.customer, {"email": "Ada@x.example"})
    assert (reader.wants_not("email", "news"), reader.wants_not("sms", "offers")) == (True, True)
    assert list(reader.suppressed) == ["email"]
    assert not found[bob.id].topics
    assert not found[bob.id].suppressed
    assert not found[eve.id].suppressed


async def test_no_visit_of_an_erased_instance_is_written(db: Pool) -> None:
    _, page = await entered(db, 2)
    await db.execute("DELETE FROM instances WHERE id = $1", page[0].id)

    written = await trail.write(db, [left(one) for one in page])

    assert written == {(page[1].id, 1)}
    assert await db.fetchval("SELECT array_agg(instance) FROM trail") == [page[1].id]
