"""Serves the HTTP API in this process: `python -m api`."""

import sys

import uvicorn

import telemetry
from api.app import create_app
from settings import SettingsError, load


def main() -> int:
    """Serve with what the settings name."""
    try:
        settings = load()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- the reader is at a terminal
        return 2
    telemetry.configure(settings.log_format)
    uvicorn.run(
        create_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
