"""The performance: publishes the examples, lets the shop live, waits for the ends, reports."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import typer
from rich.console import Console

from cli.demo import report
from cli.demo.audit import differences, totals
from cli.demo.feed import Agenda, Feed
from cli.demo.readers import Postbox
from cli.demo.scene import Scene
from cli.demo.screen import Screen
from cli.demo.server import Server
from cli.demo.stage import DAYS, SCALE, WORKER, Stage
from cli.errors import CommandError
from cli.files import Loaded
from cli.sender import Sender
from cli.shop import make_shop
from cli.why import lines
from embedded.mbox import message_ids

DAY = timedelta(days=1)
LOOK = 0.5  # seconds between two looks at the journeys
PATIENCE = 60.0  # seconds for the last instances to come to their ends


class Show:
    """One performance on a stage that is up."""

    def __init__(self, stage: Stage, server: Server, journeys: Sequence[Loaded]) -> None:
        self._stage = stage
        self._server = server
        self._journeys = journeys
        self._names = [one.journey.journey for one in journeys]
        self._console = Console(highlight=False, soft_wrap=True)
        self.customer: str | None = None  # one who is worth a closer look

    async def publish(self) -> None:
        """Make every example a journey of this system."""
        for loaded in self._journeys:
            await self._server.publish(loaded)
        typer.echo(f"Published {', '.join(self._names)}.")

    async def perform(self, customers: int, seed: int) -> None:
        """Let the shop live its weeks from the next midnight on, and wait for the ends."""
        clock = self._stage.clock
        start = clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        scene = Scene(start, start + DAYS, clock.now())
        typer.echo(
            f"A shop of {customers} customers lives {DAYS.days} days from {start:%d %B %Y} on; "
            f"a day takes {DAY.total_seconds() / SCALE:.1f} s."
        )
        agenda = Agenda(make_shop(customers, DAYS.days, seed, start))
        screen = Screen(self._console)
        url = self._stage.system.url
        with (
            screen.shown(),
            httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
        ):
            sender = Sender(client, self._stage.write_key)
            feed = Feed(agenda, sender, clock, Postbox(self._stage.mails))
            acting = asyncio.create_task(self._act(feed, scene))
            drawing = asyncio.create_task(self._draw(scene, screen))
            try:
                await first_of(acting, drawing)
            finally:
                acting.cancel()
                drawing.cancel()
                await asyncio.wait({acting, drawing})

    async def _act(self, feed: Feed, scene: Scene) -> None:
        await feed.run(scene.end, scene.on_event, scene.on_mail)
        await self._until_quiet(scene.end)

    async def _draw(self, scene: Scene, screen: Screen) -> None:
        while True:
            scene.tallies = [await self._server.tally(name) for name in self._names]
            scene.now = self._stage.clock.now()
            screen.draw(scene)
            await asyncio.sleep(LOOK)

    async def _until_quiet(self, end: datetime) -> None:
        """Wait until every instance is over whose time was up before `end`."""
        late: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            late = [one for one in await self._server.inside() if not waits_beyond(one, end)]
            if not late and not await self._server.unrouted():
                return
            await asyncio.sleep(LOOK)
        named = "; ".join(f"{one['id']} of {one['journey']} at {one['step']}" for one in late[:5])
        raise CommandError(
            f"after {PATIENCE:.0f} s more there are still {len(late)} instances that should have "
            f"ended ({named}); the logs are in {self._stage.system.children.logs}"
        )

    async def report(self) -> None:
        """Say what became of everybody, and check it against the mails, message by message."""
        # Nothing moves while it is counted: made-up time goes on, and with it would the journeys.
        await self._stage.system.children.stop(WORKER)
        reports = [await self._server.report(name) for name in self._names]
        messages = await self._server.messages()
        mails = message_ids(self._stage.mails)
        for line in [*report.journeys(reports), *report.sums(messages, mails.total())]:
            typer.echo(line)
        wrong = [*totals(reports, messages), *differences(messages, mails)]
        if wrong:
            raise CommandError("the report does not add up: " + "; ".join(wrong))
        typer.echo("It adds up: whatever the ledger calls sent is in the mailbox, once, by its id.")
        await self._look_closer(messages)

    async def _look_closer(self, messages: Sequence[dict[str, Any]]) -> None:
        """Show `parcours why` for one customer."""
        found = report.interesting(messages)
        if found is None:
            return
        why = await self._server.why(found["customer"], found["journey"])
        self.customer = why.user_id
        typer.echo(f"\n$ parcours why {why.user_id or found['customer']} {found['journey']}")
        for line in lines(why):
            self._console.print(line)


async def first_of(*tasks: "asyncio.Task[None]") -> None:
    """Return when the first of them is done, with its error if it has one."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        await task


def waits_beyond(instance: dict[str, Any], end: datetime) -> bool:
    """Whether the instance waits for something until after `end`."""
    until = instance["waits_until"]
    return until is not None and datetime.fromisoformat(until) > end
