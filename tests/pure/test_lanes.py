"""Lanes and the outbox: messages are fetched as lanes get free, each once, none forgotten."""

import asyncio
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from activities.outbox import Outbox
from activities.parcels import Parcel as PageParcel
from activities.passages import Page
from channels.base import Parcel, Source
from channels.lanes import Lanes


class Carrier:
    """Carries what it is given, which takes a moment."""

    def __init__(self, size: int) -> None:
        self.lanes = Lanes(size, self.carry)
        self.carried: list[Any] = []
        self.at_once = self.most = 0
        self.done: Callable[[Any], None] = lambda _: None

    async def carry(self, parcel: Parcel) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        self.carried.append(parcel)
        self.done(parcel)


def source(*items: object) -> Source:
    left = deque(items)
    return cast(Source, lambda: left.popleft() if left else None)


async def settled() -> None:
    await asyncio.sleep(0.1)


async def test_no_more_are_carried_at_once_than_there_are_lanes() -> None:
    carrier = Carrier(3)
    carrier.lanes.pull(source(*range(20)))
    await settled()

    assert carrier.most == 3
    assert sorted(carrier.carried) == list(range(20))


async def test_sources_take_turns() -> None:
    carrier = Carrier(1)
    carrier.lanes.pull(source(*"aaaaaaaa"))
    carrier.lanes.pull(source("b"))
    await settled()

    assert "b" in carrier.carried[:2]
    assert len(carrier.carried) == 9


async def test_what_is_put_back_comes_first_and_an_empty_source_can_be_pulled_again() -> None:
    carrier, items = Carrier(1), deque(["a"])
    again = cast(Source, lambda: items.popleft() if items else None)
    carrier.lanes.pull(again)
    carrier.lanes.put_back(cast(Parcel, "first"))
    await settled()
    items.append("b")
    carrier.lanes.pull(again)
    await settled()

    assert carrier.carried == ["first", "a", "b"]


async def test_a_source_that_fails_costs_no_lane() -> None:
    carrier = Carrier(1)

    def broken() -> Parcel | None:
        carrier.lanes.pull(source("after"))
        raise RuntimeError("no more")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    carrier.lanes.pull(broken)
    await settled()
    carrier.lanes.pull(source("last"))
    await settled()

    assert carrier.carried == ["after", "last"]


def parcel(carrier: Carrier, name: str, channel: str = "email") -> PageParcel:
    return cast(
        PageParcel,
        SimpleNamespace(
            name=name,
            circular=SimpleNamespace(step=SimpleNamespace(channel=channel)),
            channel=SimpleNamespace(provider=carrier.lanes),
        ),
    )


def page_of(outbox: Outbox, *parcels: PageParcel | None) -> Callable[[], bool]:
    """Writes these one after the other; None is somebody who gets no message."""
    left = deque(parcels)

    def write_one() -> bool:
        if not left:
            return False
        if (one := left.popleft()) is not None:
            outbox.offer(one)
        return True

    return write_one


async def test_an_outbox_is_empty_when_all_that_was_fetched_came_back() -> None:
    mail, text, page = Carrier(2), Carrier(2), Page()
    outbox = Outbox(page)
    mail.done = text.done = lambda _: outbox.came_back()
    mails = [parcel(mail, f"m{number}") for number in range(5)]
    texts = [parcel(text, f"t{number}", "sms") for number in range(5)]
    both = [one for pair in zip(mails, texts, strict=True) for one in pair]
    async with asyncio.timeout(2):
        await outbox.emptied(page_of(outbox, None, *both, None))

    assert {one.name for one in mail.carried} == {f"m{number}" for number in range(5)}
    assert {one.name for one in text.carried} == {f"t{number}" for number in range(5)}


async def test_an_outbox_without_any_message_is_empty() -> None:
    outbox = Outbox(Page())
    async with asyncio.timeout(2):
        await outbox.emptied(page_of(outbox, None, None))


async def test_what_follows_a_message_is_fetched_too() -> None:
    carrier, outbox = Carrier(2), Outbox(Page())

    def done(one: Any) -> None:
        if one.name == "first":
            outbox.offer(parcel(carrier, "second"))
        outbox.came_back()

    carrier.done = done
    async with asyncio.timeout(2):
        await outbox.emptied(page_of(outbox, parcel(carrier, "first")))

    assert [one.name for one in carrier.carried] == ["first", "second"]


async def test_when_the_page_stops_nothing_more_is_fetched() -> None:
    carrier, page = Carrier(2), Page()
    outbox = Outbox(page)

    def done(_: Any) -> None:
        page.stopped = "held"
        outbox.came_back()

    carrier.done = done
    async with asyncio.timeout(2):
        await outbox.emptied(
            page_of(outbox, *(parcel(carrier, str(number)) for number in range(9)))
        )

    assert len(carrier.carried) == 2
