"""`parcours up`: everything on this machine from one command, until Ctrl-C."""

import asyncio
import signal
from contextlib import suppress

import typer

import telemetry
from cli.running import Running, running, with_program
from clock import Clock
from settings import Settings, load

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def command() -> None:
    settings = load()
    telemetry.configure(settings.log_format)
    # Before the event loop: a build that takes minutes can be interrupted here.
    asyncio.run(up(with_program(settings, typer.echo)))


async def up(settings: Settings, *, clock: Clock | None = None) -> None:
    """Serve until a signal says to stop; then stop everything, in order."""
    serving = asyncio.create_task(serve(settings, clock))
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop, serving)
    with suppress(asyncio.CancelledError):
        await serving


def stop(serving: asyncio.Task[None]) -> None:
    """End it once: a second Ctrl-C does not interrupt the stopping."""
    if not serving.cancelling():
        typer.echo("\nStopping.")
        serving.cancel()


async def serve(settings: Settings, clock: Clock | None) -> None:
    """Hold everything up for ever."""
    async with running(settings, clock=clock, note=typer.echo) as system:
        typer.echo(summary(system))
        await asyncio.Event().wait()


def summary(system: Running) -> str:
    """Where everything is, and the keys if they are new."""
    lines = ["", "Parcours is up.", ""]
    lines += [f"  API           {system.url}", f"  API docs      {system.url}/docs"]
    if system.temporal_ui:
        lines.append(f"  Temporal UI   {system.temporal_ui}")
    lines.append(f"  Data, logs    {system.children.directory}")
    if system.settings.smtp_url is None:
        lines.append("  Email         goes nowhere yet: set PARCOURS_SMTP_URL")
    if system.keys_made:
        lines += ["", "Keys, shown this once (set them in the environment for the other commands):"]
        lines += [f"  PARCOURS_{kind.upper()}_KEY={key}" for kind, key in system.keys_made.items()]
    return "\n".join([*lines, "", "Ctrl-C stops all of it."])
