"""`parcours replay`: posts a file of events to a running system."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import floor
from pathlib import Path
from typing import Annotated

import httpx
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli import event_file
from cli.errors import CommandError
from cli.event_file import BadLine, EventFile, stamp_of
from cli.sender import Item, Refused, Sender
from settings import load

BATCH_ITEMS, BATCH_BYTES = 500, 400_000
TICKS = 5  # a second: a paced replay sends what has come due this often
NAMED = 20
TIMEOUT = 60.0


def command(
    file: Annotated[Path, typer.Argument(help="events, one JSON object a line, or gzipped")],
    url: Annotated[str | None, typer.Option(help="the server, if it is not this machine's")] = None,
    key: Annotated[str | None, typer.Option(help="a write key; PARCOURS_WRITE_KEY is one")] = None,
    pace: Annotated[float | None, typer.Option(min=0.01, help="so many events a second")] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.01, help="so many times as fast as it happened")
    ] = None,
    shift_to: Annotated[
        str | None, typer.Option(help="shift all events so that the last occurs at this instant")
    ] = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="shift all events so that the last occurs now")
    ] = False,
    from_line: Annotated[int, typer.Option(min=1, help="leave out the lines before this one")] = 1,
) -> None:
    if pace and speed:
        raise CommandError("--pace and --speed exclude each other")
    settings = load()
    key = key or (settings.write_key.get_secret_value() if settings.write_key else None)
    if key is None:
        raise CommandError(
            "a write key is needed: give --key, set PARCOURS_WRITE_KEY; "
            "`parcours up` shows the one that it makes at its first start"
        )
    to = event_file.end_instant(shift_to, now=shift_to_now)
    source = event_file.opened(file, to=to)
    base = url or f"http://{settings.http_host}:{settings.http_port}"
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with httpx.Client(base_url=base, timeout=TIMEOUT) as client, bar(console) as progress:
        total = sum(1 for line in source.lines() if line.number >= from_line)
        task = progress.add_task(file.name, total=total)
        replay = Replay(
            source,
            Sender(client, key),
            from_line,
            due_by(pace, speed),
            lambda count: progress.advance(task, count),
        )
        replay.run()
    for line in replay.bad[:NAMED]:
        console.print(line, style="yellow", markup=False)
    if len(replay.bad) > NAMED:
        console.print(f"… and {len(replay.bad) - NAMED} more", style="yellow")
    typer.echo(replay.summary())


def bar(console: Console) -> Progress:
    """A progress bar, shown only on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


Due = Callable[[int, datetime | None], float]


def due_by(pace: float | None, speed: float | None) -> Due:
    """When the nth event may be sent, in seconds from the start, in whole ticks."""
    first: list[datetime] = []

    def due(number: int, stamp: datetime | None) -> float:
        if pace is not None:
            return ticked(number / pace)
        if speed is None or stamp is None:
            return 0.0
        if not first:
            first.append(stamp)
        return ticked((stamp - first[0]).total_seconds() / speed)

    return due


def ticked(seconds: float) -> float:
    """The tick at or before; what is a hair before the next one counts as it."""
    return floor(seconds * TICKS + 1e-6) / TICKS


@dataclass(slots=True)
class Replay:
    """One run: what was sent, and what was not taken."""

    source: EventFile
    sender: Sender
    from_line: int = 1
    due: Due = field(default_factory=lambda: due_by(None, None))
    advance: Callable[[int], object] = lambda count: None
    clock: Callable[[], float] = time.monotonic
    accepted: int = 0
    bad: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def run(self) -> None:
        """Send everything, in order, one batch at a time."""
        begun = self.clock()
        for batch in self._batches(begun):
            refused = self.sender.send(batch)
            self._name(refused)
            self.accepted += len(batch) - len(refused)
            self.advance(len(batch))
        self.seconds = self.clock() - begun

    def summary(self) -> str:
        """What came of it."""
        rate = self.accepted / self.seconds if self.seconds else 0.0
        retries = f", {self.sender.retries:,} retries" if self.sender.retries else ""
        return (
            f"{self.accepted:,} accepted, {len(self.bad):,} refused, "
            f"{self.seconds:.1f} s, {rate:,.0f} events/s{retries}"
        )

    def _batches(self, begun: float) -> Iterator[list[Item]]:
        batch: list[Item] = []
        size = 0
        for number, item in enumerate(self._items()):
            wait = self.due(number, stamp_of(item.content)) - (self.clock() - begun)
            is_full = len(batch) == BATCH_ITEMS or size + item.size > BATCH_BYTES
            if batch and (is_full or wait > 0):
                yield batch
                batch, size = [], 0
                wait = self.due(number, stamp_of(item.content)) - (self.clock() - begun)
            if wait > 0:
                self.sender.sleep(wait)
            batch.append(item)
            size += item.size + 1
        if batch:
            yield batch

    def _items(self) -> Iterator[Item]:
        for found in self.source.items():
            if isinstance(found, BadLine):
                if found.line >= self.from_line:
                    self.bad.append(str(found))
                    self.advance(1)
            elif found[0].number >= self.from_line:
                line, content = found
                yield Item(line.number, content, len(orjson.dumps(content)))

    def _name(self, refused: list[Refused]) -> None:
        self.bad += [f"{self.source.path}:{one.line}: {one.message}" for one in refused]
