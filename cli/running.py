"""Everything that serves, as one context: the servers we lack, the API and the workers."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.errors import CommandError
from cli.prepare import prepare
from clock import Clock
from embedded import program
from embedded.children import Child, Children
from embedded.errors import StartFailedError
from embedded.postgres import Postgres
from embedded.temporal import PUNCTUAL, TemporalServer, port_near
from settings import Settings
from storage.keys import KeyKind

READY = 90.0
WATCH = 0.5
TEMPORAL_PORT = 7233
TEMPORAL_UI_PORT = 8233

Note = Callable[[str], None]


@dataclass(frozen=True)
class Running:
    """Where everything is once it serves."""

    settings: Settings  # with the addresses of what was started filled in
    url: str
    temporal_ui: str | None
    keys_made: dict[KeyKind, str]
    children: Children


@asynccontextmanager
async def running(
    settings: Settings, *, clock: Clock | None = None, note: Note = print
) -> AsyncIterator[Running]:
    """Start what is not configured, then the API and the workers; end all of it on leaving.

    With `clock` the installation lives by it, as a demo's does, and its data is not kept safe.
    """
    settings = with_program(settings, note)
    async with AsyncExitStack() as stack:
        children = await stack.enter_async_context(Children(settings.data_dir))
        check_port_is_free(settings)
        if settings.database_url is None:
            note("Starting Postgres.")
            database = Postgres(children.directory / "postgres", durable=clock is None)
            url = await stack.enter_async_context(postgres(database))
            settings = settings.model_copy(update={"database_url": url})
        # Before Postgres stops: who sends a message writes down what became of it.
        stack.push_async_callback(children.stop_all)
        prepared = await prepare(str(settings.database_url), settings, clock)
        ui = None
        if settings.temporal_address is None:
            note("Starting Temporal.")
            server = development_server(children.directory, settings, clock)
            await start_temporal(children, server)
            settings = settings.model_copy(update={"temporal_address": server.address})
            ui = server.ui
        note("Starting the API and the workers.")
        await start_processes(children, settings)
        yield Running(settings, base_url(settings), ui, prepared.made, children)


def with_program(settings: Settings, note: Note) -> Settings:
    """The settings with the `temporal` program found or made, where one will be needed."""
    if settings.temporal_address is not None:
        return settings
    return settings.model_copy(update={"temporal_cli": program.find(settings.temporal_cli, note)})


def check_port_is_free(settings: Settings) -> None:
    """Say now that the API's port is taken, not after everything else has started."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((settings.http_host, settings.http_port))
        except OSError as error:
            raise CommandError(
                f"the API cannot listen on {settings.http_host}:{settings.http_port}: "
                f"{error.strerror}; set PARCOURS_HTTP_PORT to a free port"
            ) from None


def base_url(settings: Settings) -> str:
    """Where this machine reaches the API."""
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host
    return f"http://{host}:{settings.http_port}"


@asynccontextmanager
async def postgres(server: Postgres) -> AsyncIterator[str]:
    """The embedded Postgres, started again whenever it dies."""
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    watching: asyncio.Task[None] | None = None
    try:
        await asyncio.shield(starting)
        watching = asyncio.create_task(watch(server))
        yield server.url
    finally:
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        await asyncio.wait({starting})
        await asyncio.to_thread(server.stop)


async def watch(server: Postgres) -> None:
    """Start the server whenever it is gone."""
    while True:
        await asyncio.sleep(WATCH)
        if server.postmaster() is None:
            await asyncio.to_thread(server.start)


def development_server(directory: Path, settings: Settings, clock: Clock | None) -> TemporalServer:
    """The embedded Temporal, on its usual ports where they are free."""
    if settings.temporal_cli is None:
        raise CommandError("no `temporal` program was found")
    return TemporalServer(
        settings.temporal_cli,
        directory / "temporal.db",
        port_near(TEMPORAL_PORT),
        port_near(TEMPORAL_UI_PORT),
        settings.temporal_namespace,
        PUNCTUAL if clock is not None else None,
    )


async def start_temporal(children: Children, server: TemporalServer) -> None:
    """Run the embedded Temporal and wait for its namespace."""
    await children.start(Child("temporal", server.command()))
    await children.wait_for("temporal", asyncio.ensure_future(server.wait_ready()))


async def start_processes(children: Children, settings: Settings) -> None:
    """Run the API and the workers and wait until they serve."""
    environment = settings.environment()
    modules = {f"worker-{number}": "worker" for number in range(1, settings.workers + 1)}
    modules |= {"api": "api"}
    for name, module in modules.items():
        await children.start(Child(name, [sys.executable, "-P", "-m", module], environment))
    await children.wait_for("api", asyncio.ensure_future(ready(base_url(settings))))
    for name in modules:
        if children.pid(name) is None:
            raise StartFailedError(
                f"{name} does not stay up; its last words:\n{children.tail(name)}"
            )


async def ready(url: str) -> None:
    """Return once the API says that everything can serve."""
    answer = "no answer"
    with suppress(TimeoutError):
        async with asyncio.timeout(READY), httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while True:
                with suppress(httpx.HTTPError):
                    response = await client.get(f"{url}/health/ready")
                    if response.status_code == httpx.codes.OK:
                        return
                    answer = response.text
                await asyncio.sleep(0.05)
    raise StartFailedError(f"the API at {url} is not ready after {READY:.0f} s: {answer}")
