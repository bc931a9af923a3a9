"""`parcours audience delete`: an audience that nothing uses goes; its members leave it."""

import sys
from typing import Annotated

import typer

from cli.client import Key, Url, server


def command(
    audience: Annotated[str, typer.Argument(metavar="AUDIENCE")], url: Url = None, key: Key = None
) -> None:
    server(url, key).delete("audiences", audience)
    sys.stdout.write(f"{audience} is deleted\n")
