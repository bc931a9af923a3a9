"""Serves the HTTP API in this process: `python -m api`."""

import socket
import sys
from contextlib import suppress

import uvicorn

import telemetry
from api.app import create_app
from settings import SettingsError, load


class Server(uvicorn.Server):
    """Ends open streams when it stops: it would wait for them until its patience is over."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn once it was told to stop."""
        self.config.app.state.streams.close()  # type: ignore[union-attr]  # it is our application
        await super().shutdown(sockets)


def main() -> int:
    """Serve with what the settings name."""
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- the reader is at a terminal
        return 2
    telemetry.configure(settings.log_format)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())
