"""Rule 5, from the journey's side: what answers become, and that one provider holds up no other."""

import asyncio
import socket
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from settings import Settings
from tests.live.faulty_smtp import Dialogue, FaultySmtp, faulty_smtp
from tests.live.system import System, event, system, working

SECRET = f"whsec_{b64encode(b'a secret of the tests').decode()}"
MAIL = {"id": "hi", "kind": "send", "channel": "email", "template": "hello"}
HOOK = {"id": "tell", "kind": "send", "channel": "webhook", "template": "told"}
TOLD = {"name": "told", "channel": "webhook", "parts": {"text": "{{ customer.first_name }}"}}
CROWD = 50
ACCEPTED = "SELECT count(*) FROM messages WHERE state = 'accepted' AND channel = $1"


def sends(step: dict[str, str], **changes: Any) -> dict[str, Any]:
    """A journey of one message."""
    return {
        "journey": f"by-{step['channel']}",
        "entry": {"event": "Begun"},
        "steps": [step],
        **changes,
    }


@dataclass
class Moody(FaultySmtp):
    """A server that treats one mail after the other as `moods` say, and the rest well."""

    moods: list[str] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = self

        class InAMood(Dialogue):
            mood = ""

            @property
            def tag(self) -> str:
                return self.mood

            async def on_rcpt(self, line: str) -> None:
                server.asked_at.append(time.monotonic())
                self.mood = server.moods.pop(0) if server.moods else ""
                await super().on_rcpt(line)

        self.open.add(writer)
        try:
            await InAMood(self, reader, writer).run()
        except Exception:
            pass
        finally:
            self.open.discard(writer)
            writer.close()


@asynccontextmanager
async def moody(
    database_url: str, temporal: str, *moods: str, **changes: Any
) -> AsyncIterator[tuple[System, Moody]]:
    """A system with such a server, a worker, and one customer who has just entered."""
    server = Moody(moods=list(moods))
    async with (
        faulty_smtp(server),
        system(database_url, temporal, smtp_url=f"smtp://127.0.0.1:{server.port}") as live,
        working(live.settings),
    ):
        await live.publish(sends(MAIL, **changes))
        await live.identify("u1", email="u1@x.example")
        await live.send("Begun", "u1")
        yield live, server


async def ledger(live: System) -> tuple[Any, ...]:
    """What became of the message, when the instance is over."""
    await live.until("SELECT outcome = 'completed' FROM instances", within=20)
    rows = await live.pool.fetch("SELECT state, reason, detail FROM messages")
    return tuple(rows[0])


async def test_temporary_no_is_tried_again_ever_more_slowly(
    database_url: str, temporal: str
) -> None:
    async with moody(database_url, temporal, *["4xx"] * 3) as (live, server):
        state, reason, _ = await ledger(live)
        gaps = [later - one for one, later in zip(server.asked_at, server.asked_at[1:])]  # noqa: B905 -- one is shorter

        assert (state, reason) == ("accepted", None)
        assert len(server.mails) == 1
        assert gaps[0] < 0.5 <= 0.9 < gaps[1] < 1.8 < gaps[2]
        assert await live.exits("by-email") == [("hi", "sent")]


async def test_temporary_no_is_named_while_the_message_waits(
    database_url: str, temporal: str
) -> None:
    async with moody(database_url, temporal, *["4xxdata"] * 3) as (live, _):
        waiting = await live.until("SELECT detail FROM messages WHERE state = 'deferred'")

        assert waiting == "451 4.3.0 queue is full"
        assert (await ledger(live))[0] == "accepted"


@pytest.mark.parametrize(
    ("mood", "words"),
    [("5xx", "550 5.1.1 no such user"), ("5xxdata", "554 5.7.1 looks like 5.7.1 spam")],
)
async def test_permanent_no_is_refused_with_the_servers_words(
    database_url: str, temporal: str, mood: str, words: str
) -> None:
    async with moody(database_url, temporal, mood) as (live, server):
        assert await ledger(live) == ("refused", "refused", words)
        assert await live.exits("by-email") == [("hi", "not_sent")]
        assert len(server.asked_at) == 1


async def test_connection_lost_after_data_is_unknown_and_left_alone(
    database_url: str, temporal: str
) -> None:
    async with moody(database_url, temporal, "drop-after-data") as (live, server):
        state, reason, detail = await ledger(live)

        assert (state, reason) == ("unknown", "no_answer")
        assert detail == "no answer to the body: connection closed by the server"
        assert (await live.exits("by-email"), len(server.asked_at)) == ([("hi", "sent")], 1)


async def test_connection_lost_after_data_is_sent_again_where_at_least_once_is_promised(
    database_url: str, temporal: str
) -> None:
    faults = ("drop-after-data", "drop-after-data")
    async with moody(database_url, temporal, *faults, guarantee="at_least_once") as (live, server):
        named = await live.until("SELECT reason FROM messages WHERE state = 'unknown'")

        assert named == "no_answer"
        assert (await ledger(live))[0] == "accepted"
        assert (len(server.mails), len(server.asked_at)) == (1, 3)


# One channel and another -----------------------------------------------------------


async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take webhooks: every request is answered with 200."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a connection and leave it open without a word."""
    await reader.read()
    writer.close()


@asynccontextmanager
async def listening(serve: Any) -> AsyncIterator[int]:
    """The port of a server."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections: it is taken, and nobody listens on it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("death", ["refuses", "says_nothing"])
async def test_dead_provider_of_one_channel_does_not_slow_another(
    database_url: str, temporal: str, death: str, closed_port: int
) -> None:
    async with listening(receive) as hooks, listening(say_nothing) as silent:
        settings: dict[str, Any] = {
            "webhook_url": f"http://127.0.0.1:{hooks}/",
            "webhook_secret": SECRET,
            "allow_private_calls": True,
        }
        dead = silent if death == "says_nothing" else closed_port
        async with system(database_url, temporal, **settings) as live:
            await live.publish(sends(MAIL, entry={"event": "Mail"}))
            await live.publish(sends(HOOK, entry={"event": "Hook"}), {"told": TOLD})
            for number in range(CROWD):
                await live.identify(f"u{number}", email=f"u{number}@x.example", first_name="u")
            beside_a_live_one, mails = await seconds(live, live.settings)
            assert mails == CROWD

            smtp = {**settings, "smtp_url": f"smtp://127.0.0.1:{dead}"}
            changed = live.settings.model_copy(update=Settings(**smtp).model_dump(include={*smtp}))
            beside_a_dead_one, more = await seconds(live, changed)
            assert more == mails

    print(f"\nlast webhook beside an email provider that {death}: {beside_a_dead_one:.2f} s, "
          f"beside a live one: {beside_a_live_one:.2f} s")  # fmt: skip
    # One that holds a slot for its whole budget, two seconds, would show.
    assert beside_a_dead_one < 2 * beside_a_live_one + 1


async def seconds(live: System, settings: Settings) -> tuple[float, int]:
    """Until the last webhook is there, with mails beside it; and how many mails there are."""
    async with working(settings):
        await live.routed()
        before = await live.pool.fetchval(ACCEPTED, "webhook")
        begun = time.perf_counter()
        await live.store(
            *(event(kind, f"u{number}") for number in range(CROWD) for kind in ("Mail", "Hook"))
        )
        await live.until(f"SELECT ({ACCEPTED}) = $2", "webhook", before + CROWD, within=30)
        took = time.perf_counter() - begun
        if settings.smtp_url == live.settings.smtp_url:
            await live.until(f"SELECT ({ACCEPTED}) = $2", "email", CROWD, within=30)
        return took, await live.pool.fetchval(ACCEPTED, "email")
