"""`parcours openapi`: the OpenAPI document of the HTTP API."""

import orjson
import typer

from api.app import assembled


def command() -> None:
    """Print the OpenAPI document of the HTTP API."""
    document = assembled().openapi()
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    typer.echo(orjson.dumps(document, option=options).decode())
