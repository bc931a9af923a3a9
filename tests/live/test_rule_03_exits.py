"""Rule 3: an exit ends an instance wherever it stands, and nothing is sent after it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from temporalio.client import WorkflowExecutionStatus

from tests.live.faulty_smtp import Dialogue, FaultySmtp, faulty_smtp
from tests.live.system import System, system, working

LONG_WAIT = {
    "journey": "exits",
    "entry": {"event": "Begun"},
    "exits": [{"event": "Bought", "when": "event.cart == entry.cart"}],
    "steps": [
        {"id": "settle", "kind": "wait", "duration": "30d"},
        {"id": "hi", "kind": "send", "channel": "email", "template": "hello"},
    ],
}
SENDS = {**LONG_WAIT, "steps": [*LONG_WAIT["steps"][1:], *LONG_WAIT["steps"][:1]]}  # type: ignore[index]  # a list it is


@dataclass
class Hesitant(FaultySmtp):
    """A server that says 354 only when it is told to."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = self

        class Slow(Dialogue):
            async def on_data(self, line: str) -> None:
                server.asked.set()
                await server.goes_on.wait()
                await super().on_data(line)

        self.open.add(writer)
        try:
            await Slow(self, reader, writer).run()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


@asynccontextmanager
async def hesitant(database_url: str, temporal: str) -> AsyncIterator[tuple[System, Hesitant]]:
    server = Hesitant()
    async with faulty_smtp(server):
        url = f"smtp://127.0.0.1:{server.port}"
        async with system(database_url, temporal, smtp_url=url) as made:
            yield made, server


async def test_exit_in_a_wait_of_30_days_ends_it_within_a_second(live: System) -> None:
    await live.publish(LONG_WAIT)

    async with working(live.settings):
        await live.identify("u1", email="u1@x.example")
        await live.send("Begun", "u1", cart="c1")
        await live.until("SELECT started FROM instances")
        workflow = await live.workflow("exits")
        await live.send("Bought", "u1", cart="another")
        await live.routed()
        assert await live.outcomes("exits") == [None]
        began = time.monotonic()
        await live.send("Bought", "u1", cart="c1")
        await workflow.result()
        took = time.monotonic() - began

        assert took < 1
        assert await live.outcomes("exits") == ["exited"]
        assert await live.pool.fetchval("SELECT count(*) FROM messages") == 0


@pytest.mark.parametrize("path", ["fast", "long"])
async def test_nothing_is_sent_after_an_exit_not_even_by_an_activity_under_way(
    database_url: str, temporal: str, path: str
) -> None:
    async with hesitant(database_url, temporal) as (live, server), working(live.settings):
        await live.publish(SENDS)
        await live.identify("u1", email="u1@x.example")
        await live.send("Begun", "u1", cart="c1")
        await asyncio.wait_for(server.asked.wait(), 5)
        workflow = await live.workflow("exits")
        if path == "long":
            server.asked.clear()
            await asyncio.wait_for(server.asked.wait(), 5)
        await live.send("Bought", "u1", cart="c1")
        await live.until("SELECT outcome = 'exited' FROM instances")
        await live.routed()
        server.goes_on.set()
        await asyncio.wait_for(workflow.result(), 3)
        await refused(server)

        assert server.mails == []
        assert await live.pool.fetchval("SELECT count(*) FROM messages") == 0
        assert (await workflow.describe()).status == WorkflowExecutionStatus.COMPLETED


async def refused(server: Hesitant) -> None:
    """Return once nobody is in the middle of a mail: the connection was dropped."""
    async with asyncio.timeout(5):
        while server.open:
            await asyncio.sleep(0.02)


async def test_mail_past_the_point_of_no_return_is_accepted_though_an_exit_comes(
    database_url: str, temporal: str
) -> None:
    """What was on its way cannot be called back: the ledger says so, and the walk stops there."""
    server = FaultySmtp(delay=1.0)
    async with (
        faulty_smtp(server),
        system(database_url, temporal, smtp_url=f"smtp://127.0.0.1:{server.port}") as live,
        working(live.settings),
    ):
        await live.publish({**SENDS, "journey": "late-exit"})
        await live.identify("u1", email="ann+slow@x.example")
        await live.send("Begun", "u1", cart="c1")
        await live.until("SELECT count(*) FROM messages WHERE state = 'sending'")
        await live.send("Bought", "u1", cart="c1")
        await live.until("SELECT outcome = 'exited' FROM instances")
        await live.until("SELECT count(*) FROM messages WHERE state = 'accepted'")
        await asyncio.wait_for((await live.workflow("late-exit")).result(), 3)

        assert len(server.mails) == 1
        assert await live.exits("late-exit") == [("hi", "sent")]
