"""Journeys whose histories are recorded: every kind of step, and every way to go on or to end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage import events, journeys
from tests.live.system import System, event

Drive = Callable[[System], Awaitable[None]]

MAIL = {"id": "hi", "kind": "send", "channel": "email", "template": "hello"}
REST = {"id": "rest", "kind": "wait", "duration": "1s"}
LISTEN = {
    "id": "listen",
    "kind": "wait_for",
    "events": {"came": {"event": "Came"}},
    "timeout": "1s",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A journey, and what happens to the customer who has entered it."""

    steps: tuple[Mapping[str, Any], ...]
    drive: Drive
    traits: Mapping[str, Any]

    def definition(self, name: str) -> dict[str, Any]:
        """The journey file."""
        return {
            "journey": name,
            "entry": {"event": "Begun"},
            "exits": [{"event": "Bought"}],
            "steps": list(self.steps),
        }


def case(*steps: Mapping[str, Any], drive: Drive | None = None, **traits: Any) -> Case:
    """A case whose customer has an address, and whatever else is given."""
    return Case(steps, drive or nothing, {"email": "u1@x.example", **traits})


async def nothing(live: System) -> None:
    """The customer goes through."""


async def comes(live: System) -> None:
    """The awaited event comes as soon as it is waited for."""
    await live.until("SELECT wait_visit FROM instances")
    await live.send("Came", "u1")


async def buys(live: System) -> None:
    """The exit event comes once the instance runs."""
    await live.until("SELECT started FROM instances")
    await live.send("Bought", "u1")


async def cancels(live: System) -> None:
    """Somebody cancels the workflow."""
    await live.until("SELECT started FROM instances")
    name = await live.pool.fetchval("SELECT journey FROM instances")
    await (await live.workflow(name)).cancel()


async def is_paused(live: System) -> None:
    """The journey is paused before the message, and goes on later."""
    name = await live.until("SELECT journey FROM instances WHERE started")
    await journeys.change(live.pool, name, datetime.now(UTC), "pause")
    await live.until("SELECT held FROM instances")
    await journeys.change(live.pool, name, datetime.now(UTC), "resume")


async def is_signalled(live: System) -> None:
    """Signals are given by hand: junk, and a stored event."""
    await live.until("SELECT wait_visit FROM instances")
    came = event("Came", "u1")
    await events.insert(live.pool, [came], route=False)
    workflow = await live.workflow(await live.pool.fetchval("SELECT journey FROM instances"))
    await workflow.signal("event", "junk")
    await workflow.signal("event", {"id": str(came.id)})


async def goes_round(live: System) -> None:
    """The awaited event comes so often that the workflow continues as new."""
    for visit in range(1, 12):
        await live.until("SELECT wait_visit = $1 FROM instances", visit)
        await live.send("Came", "u1")
        await asyncio.sleep(0)
    await live.send("Bought", "u1")


CASES: Mapping[str, Case] = {
    "wait": case(REST, {**REST, "id": "again"}),
    "wait-date": case(
        {"id": "until", "kind": "wait", "date": {"attribute": "renewal", "before": "1d"}},
        {
            "id": "never",
            "kind": "wait",
            "date": {"attribute": "no_such_date"},
            "then": {"waited": "end", "no_date": "rest"},
        },
        REST,
        renewal="2026-01-01T00:00:00Z",
    ),
    "wait-for-event": case({**LISTEN, "timeout": "1d"}, MAIL, drive=comes),
    "wait-for-timeout": case(LISTEN, MAIL),
    "wait-for-signal": case({**LISTEN, "timeout": "1d"}, MAIL, drive=is_signalled),
    "branch": case(
        {
            "id": "rich",
            "kind": "branch",
            "branches": {"yes": "customer.money > 100.0"},
            "then": {"yes": "hi", "otherwise": "end"},
        },
        MAIL,
        money=500,
    ),
    "split": case({"id": "half", "kind": "split", "paths": {"a": 50, "b": 50}}, REST, MAIL),
    "send": case(MAIL),
    "send-not": case(MAIL, {**MAIL, "id": "twice"}, email=None),
    "send-held": case(REST, MAIL, REST | {"id": "more"}, drive=is_paused),
    "send-slow": case(REST, MAIL, REST | {"id": "more"}, email="u1+4xx-once@x.example"),
    "update": case({"id": "mark", "kind": "update", "set": {"seen": "true"}}, REST),
    "call": case(
        {"id": "ask", "kind": "call", "url": "http://127.0.0.1:1/", "retries": 1},
        {"id": "again", "kind": "call", "url": "http://127.0.0.1:1/", "retries": 0},
        MAIL,
    ),
    "emit": case({"id": "say", "kind": "emit", "event": "Said", "properties": {"a": "1"}}, REST),
    "end": case(
        {"id": "which", "kind": "branch", "branches": {"yes": "true"}, "then": {"yes": "stop"}},
        {"id": "stop", "kind": "end"},
    ),
    "exit-in-wait": case({**REST, "duration": "30d"}, MAIL, drive=buys),
    "exit-in-wait-for": case({**LISTEN, "timeout": "30d"}, MAIL, drive=buys),
    "cancel": case({**REST, "duration": "30d"}, MAIL, drive=cancels),
    "continue-as-new": case({**LISTEN, "timeout": "30d", "then": "listen"}, drive=goes_round),
}
