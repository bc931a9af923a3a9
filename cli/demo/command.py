"""`parcours demo` itself: raises the stage, plays, reports, and leaves or stays."""

import asyncio
import sys
import time
from contextlib import suppress
from typing import Annotated

import typer

import telemetry
from cli.demo.server import Server
from cli.demo.show import Show
from cli.demo.stage import WORKER, Stage, examples, raised
from cli.files import load
from cli.running import with_program
from cli.up import SIGNALS, stop
from embedded.children import Child
from settings import Settings
from settings import load as load_settings

INTERRUPTED = 130
AFTERWARDS = (
    "",
    "Everything has stopped. To look around in it, in Temporal's UI, the API's docs and by",
    "`parcours why`: .venv/bin/parcours demo --stay",
    "To keep it running with data of your own: .venv/bin/parcours up",
)

Stay = Annotated[bool, typer.Option("--stay", help="Stay up afterwards, to look around.")]
Size = Annotated[int, typer.Option(min=1, max=1000, help="How many customers the shop has.")]
Seed = Annotated[int, typer.Option(help="Another seed makes another shop.")]


def command(stay: Stay = False, customers: Size = 240, seed: Seed = 1) -> None:
    settings = load_settings()
    telemetry.configure(settings.log_format)
    # Before the event loop: a build that takes minutes can be interrupted here.
    settings = with_program(settings, typer.echo)
    if not asyncio.run(watched(settings, customers, seed, stay=stay)):
        raise typer.Exit(INTERRUPTED)


async def watched(settings: Settings, customers: int, seed: int, *, stay: bool) -> bool:
    """The whole demo; False if a signal ended it before its end."""
    playing = asyncio.create_task(play(settings, customers, seed, stay=stay))
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop, playing)
    try:
        await playing
    except asyncio.CancelledError:
        return False
    return True


async def play(settings: Settings, customers: int, seed: int, *, stay: bool) -> None:
    """Raise the stage, play, report, and leave."""
    began = time.monotonic()
    async with raised(settings, typer.echo) as stage:
        async with Server(stage.system.url, stage.admin_key) as server:
            show = Show(stage, server, [load(path) for path in examples()])
            await show.publish()
            await show.perform(customers, seed)
            await show.report()
        typer.echo(f"\nAll of it took {time.monotonic() - began:.0f} s.")
        if stay:
            await linger(stage, show.customer)
    typer.echo("\n".join(AFTERWARDS))


async def linger(stage: Stage, customer: str | None) -> None:
    """Let the journeys go on, say where to look, and wait for Ctrl-C."""
    system = stage.system
    worker = [sys.executable, "-P", "-m", "worker"]
    await system.children.start(Child(WORKER, worker, system.settings.environment()))
    typer.echo("\n".join(places(stage, customer)))
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


def places(stage: Stage, customer: str | None) -> list[str]:
    """Where to look while it is up."""
    system = stage.system
    there = f"--url {system.url} --key {stage.admin_key}"
    return [
        "",
        "It stays up, and its time goes on.",
        "",
        f"  Temporal UI   {system.temporal_ui}",
        f"  API docs      {system.url}/docs   (key: {stage.admin_key})",
        f"  Mails         {stage.mails}",
        f"  Why           parcours why {customer or 'shopper-1'} {there}",
        "",
        "Ctrl-C stops all of it.",
    ]
