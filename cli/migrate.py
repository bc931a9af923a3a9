"""`parcours migrate`: brings the configured database up to this release, once, and ends."""

import asyncio

import typer

from cli.errors import CommandError
from cli.prepare import prepare
from settings import load


def command() -> None:
    settings = load()
    if settings.database_url is None:
        raise CommandError(
            "PARCOURS_DATABASE_URL is not set: it names the database to migrate "
            "(`parcours up` migrates the embedded one by itself)"
        )
    prepared = asyncio.run(prepare(settings.database_url, settings))
    typer.echo("The database is up to date.")
    for kind, key in prepared.made.items():
        typer.echo(f"PARCOURS_{kind.upper()}_KEY={key}   (shown this once)")
