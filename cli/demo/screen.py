"""Draws the scene: alive on a terminal, in a plain line every few days anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.demo.scene import Scene

PLAIN_EVERY = 5  # days
STATES = {
    "accepted": "sent",
    "skipped": "not sent",
    "refused": "refused",
    "unknown": "unknown",
    "deferred": "deferred",
    "sending": "sending",
}


class Screen:
    """Where the scene is drawn."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._told = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Hold the live picture, which vanishes at the end; the report stays."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            self._live = live
            yield
        self._live = None

    def draw(self, scene: Scene) -> None:
        """Show the scene as it is now."""
        if self._live is not None:
            self._live.update(picture(scene), refresh=True)
        elif scene.now > scene.start and scene.day // PLAIN_EVERY >= self._told:
            self._told = scene.day // PLAIN_EVERY + 1
            self._console.print(line(scene), highlight=False, soft_wrap=True)


def line(scene: Scene) -> str:
    """The scene in one line."""
    journeys = ", ".join(f"{one.journey} {one.entered}/{one.done}" for one in scene.tallies)
    return (
        f"day {scene.day:>2}, {moment(scene.now)}: {scene.posted:,} events, "
        f"{scene.mails:,} mails; entered/done: {journeys or 'nobody yet'}"
    )


def picture(scene: Scene) -> RenderableType:
    """The scene as a picture that fits in a small terminal."""
    done = (scene.now - scene.start) / (scene.end - scene.start)
    clock = Table.grid(padding=(0, 2))
    clock.add_row(
        Text(moment(scene.now), style="bold"),
        f"day {scene.day} of {scene.days}",
        ProgressBar(total=1.0, completed=min(1.0, max(0.0, done)), width=40),
    )
    said = ", ".join(
        f"{scene.messages[state]:,} {word}"
        for state, word in STATES.items()
        if scene.messages[state]
    )
    news = Table.grid(padding=(0, 2))
    for at, text in scene.happenings:
        news.add_row(Text(f"{at:%a %H:%M}", style="dim"), Text(text, no_wrap=True))
    return Group(
        clock,
        "",
        journeys(scene),
        "",
        f"{scene.posted:,} events posted; email: {said or 'nothing yet'}",
        "",
        news,
    )


def journeys(scene: Scene) -> Table:
    """The journeys in numbers."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("journey")
    for heading in ("entered", "inside", "done", "goal met", "sent", "not sent"):
        table.add_column(heading, justify="right")
    for one in scene.tallies:
        counts = (
            one.entered,
            one.inside,
            one.done,
            one.goals,
            one.messages.get("accepted", 0),
            one.messages.get("skipped", 0),
        )
        table.add_row(one.journey, *(f"{count:,}" for count in counts))
    return table


def moment(at: datetime) -> str:
    """`Sat 31 Oct 2026 14:05`"""
    return f"{at:%a} {at.day:>2} {at:%b %Y %H:%M}"
