"""Posts the shop's events, each when its made-up instant comes, and what readers do about mails."""

import asyncio
import heapq
from collections.abc import Callable, Iterable
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import orjson

from cli.demo.readers import Postbox, reactions
from cli.errors import CommandError
from cli.sender import Item, Sender
from clock import Clock

BATCH = 200
TICK = 0.02  # seconds
POST = 0.4  # seconds between two looks into the mailbox

Posted = Callable[[dict[str, Any]], None]
Mailed = Callable[[EmailMessage, datetime], None]


class Agenda:
    """Events to come, the earliest first."""

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self._coming: list[tuple[datetime, int, dict[str, Any]]] = []
        self._added = 0
        for event in events:
            self.add(event)

    def add(self, event: dict[str, Any]) -> None:
        """Put an event where its timestamp says."""
        self._added += 1
        at = datetime.fromisoformat(event["timestamp"])
        heapq.heappush(self._coming, (at, self._added, event))

    def due(self, now: datetime) -> list[dict[str, Any]]:
        """Take what has come due, a batch of it at most."""
        found: list[dict[str, Any]] = []
        while self._coming and self._coming[0][0] <= now and len(found) < BATCH:
            found.append(heapq.heappop(self._coming)[2])
        return found


class Feed:
    """The way of the shop's events into the API, and of its mails to its customers."""

    def __init__(self, agenda: Agenda, sender: Sender, clock: Clock, postbox: Postbox) -> None:
        self.posted = 0
        self._agenda = agenda
        self._sender = sender
        self._clock = clock
        self._postbox = postbox

    async def run(self, until: datetime, on_event: Posted, on_mail: Mailed) -> None:
        """Post everything that comes due before `until`; both hear of what has happened."""
        reading = asyncio.create_task(self._read(on_mail))
        try:
            while (now := self._clock.now()) < until:
                if reading.done():
                    await reading
                batch = self._agenda.due(now)
                if not batch:
                    await asyncio.sleep(TICK)
                    continue
                await asyncio.to_thread(self._post, batch)
                for event in batch:
                    on_event(event)
        finally:
            reading.cancel()

    def _post(self, batch: list[dict[str, Any]]) -> None:
        items = [
            Item(number, event, len(orjson.dumps(event)))
            for number, event in enumerate(batch, self.posted + 1)
        ]
        refused = self._sender.send(items)
        if refused:
            raise CommandError(f"the API refused an event of the demo: {refused[0].message}")
        self.posted += len(batch)

    async def _read(self, on_mail: Mailed) -> None:
        while True:
            now = self._clock.now()
            for mail in self._postbox.new():
                on_mail(mail, now)
                for event in reactions(mail, now):
                    self._agenda.add(event)
            await asyncio.sleep(POST)
