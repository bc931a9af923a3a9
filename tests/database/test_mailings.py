"""A page of a broadcast on a real ledger, with a provider of our own and outages of Postgres."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from activities.attempts import Attempts
from activities.letters import Channel
from activities.mailing import Means
from activities.mailings import Mailings
from activities.passages import Page
from channels.base import Accepted, Commit, Outgoing, PermanentFailure, Source, Withdrawn
from channels.breaker import Breaker
from channels.lanes import lanes_of
from journeys.calls import Ask, Outcome
from journeys.effects import Inside
from journeys.templates import Renderer
from storage import consent, erasure, pages
from storage.pool import Pool
from tests.database.broadcasts import NOW, Broadcast, people

SECRET = b"s" * 32
Answer = Callable[[Outgoing], Awaitable[Accepted]]


class Fake:
    """Answers each message as it is told to."""

    name = "fake"
    takes_idempotency_key = False

    def __init__(self, answer: Answer) -> None:
        self.sent: list[Outgoing] = []
        self._answer = answer
        self._lanes = lanes_of(self, 4)

    def pull(self, source: Source) -> None:
        self._lanes.pull(source)

    async def send(self, message: Outgoing, commit: Commit) -> Accepted:
        if not await commit():
            raise Withdrawn("withdrawn")
        self.sent.append(message)
        return await self._answer(message)

    async def close(self) -> None:
        pass


@dataclass
class Stage:
    """A page that is about to be sent."""

    db: Pool
    plan: Any
    page: list[Inside]
    attempts: Attempts
    provider: Fake
    mailings: Mailings

    async def send(self) -> None:
        await self.mailings.send(self.plan, Page(), self.page)

    async def states(self) -> list[str]:
        rows = await self.db.fetch("SELECT state FROM messages ORDER BY state")
        return [row["state"] for row in rows]

    async def trail(self) -> int:
        return int(await self.db.fetchval("SELECT count(*) FROM trail"))


async def accepted(_: Outgoing) -> Accepted:
    return Accepted("q", "250 ok")


async def stage(db: Pool, count: int, answer: Answer = accepted) -> Stage:
    news = await Broadcast.begun(db)
    page = await news.enter(await people(db, count))
    await db.execute(
        "UPDATE customers SET attributes = jsonb_build_object('email', id || '@x.example')"
    )
    attempts, provider = Attempts(db, "News <n@x.example>", SECRET), Fake(answer)

    async def otherwise(_: Ask) -> Outcome:
        return Outcome(status="pending")

    channels = {"email": Channel(provider, Breaker())}
    means = Means(db, attempts, channels, news.round.clock, otherwise)
    return Stage(db, news.plan, page, attempts, provider, Mailings(means, Renderer(), SECRET))


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.InternalClientError("cannot switch to state 12"),
        asyncpg.ConnectionDoesNotExistError("connection was closed"),
        ConnectionRefusedError("nobody there"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_answers_are_written_once_postgres_is_back(
    db: Pool, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await stage(db, 8)
    tried: list[str] = []

    def fails_once(name: str) -> None:
        real = getattr(pages, name)

        async def once(*given: Any) -> Any:
            if name not in tried and (name == "close" or given[2]):
                tried.append(name)
                raise error
            return await real(*given)

        monkeypatch.setattr(pages, name, once)

    fails_once("exchange")
    fails_once("close")
    await here.send()

    assert tried == ["exchange", "close"]
    assert await here.states() == ["accepted"] * 8
    assert len(here.provider.sent) == await here.trail() == 8


async def test_a_bad_address_is_remembered_and_settled_once_postgres_is_back(
    db: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown_there(_: Outgoing) -> Accepted:
        raise PermanentFailure("550 5.1.1 no such user", suppress=True)

    here, real, tried = await stage(db, 3, unknown_there), consent.suppress, list[str]()

    async def once(connection: Any, channel: str, address: str, *others: Any) -> None:
        if address not in tried:
            tried.append(address)
            raise ConnectionRefusedError("nobody there")
        await real(connection, channel, address, *others)

    monkeypatch.setattr(consent, "suppress", once)
    await here.send()

    assert len(tried) == 3
    assert await here.states() == ["refused"] * 3
    assert await db.fetchval("SELECT count(*) FROM suppressions") == await here.trail() == 3
    assert not any(here.attempts.under_way(one.id) for one in here.provider.sent)


async def test_an_answer_that_cannot_be_written_costs_nobody_else_the_trail(db: Pool) -> None:
    async def odd(message: Outgoing) -> Accepted:
        return Accepted("q", "250 \0" if message is here.provider.sent[0] else "250 ok")

    here = await stage(db, 8, odd)
    with pytest.raises(asyncpg.DataError):
        await here.send()

    assert await here.states() == ["accepted"] * 7 + ["sending"]
    assert await here.trail() == 8


async def test_nothing_is_told_of_whom_nobody_knows_any_more(db: Pool) -> None:
    async def erased_meanwhile(message: Outgoing) -> Accepted:
        found = "SELECT customer FROM instances WHERE id = $1"
        await erasure.erase(db, await db.fetchval(found, message.instance))
        return Accepted("q", f"250 to {message.address}")

    here = await stage(db, 3, erased_meanwhile)
    await here.send()

    assert len(here.provider.sent) == 3
    assert await here.states() == []
    assert await here.trail() == 0


async def test_blanks_around_an_address_do_not_hide_that_it_is_suppressed(db: Pool) -> None:
    here = await stage(db, 2)
    await consent.suppress(db, "email", "Ada@x.example", SECRET, "bounced", NOW)
    spaced = {"email": " \tada@x.example\n"}
    await db.execute("UPDATE customers SET attributes = $1", spaced)
    await here.send()

    assert here.provider.sent == []
    assert await here.states() == ["skipped"] * 2
