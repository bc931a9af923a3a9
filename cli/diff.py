"""`parcours diff`: what differs between two versions of a journey."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.client import Fetch, Key, Url, fetching
from cli.errors import CommandError
from cli.format import Format
from cli.show import find
from journeys.diff import diff

Before = Annotated[str, typer.Argument(metavar="BEFORE", help="A file, or NAME or NAME@VERSION.")]
After = Annotated[
    str | None,
    typer.Argument(
        metavar="[AFTER]",
        help="The same; without it BEFORE is a file, compared with what is published.",
    ),
]


def compare(before: str, after: str, format: str, fetch: Fetch | None = None) -> None:
    """Print what differs."""
    changes = diff(find(before, fetch), find(after, fetch))
    if format == "json":
        said = [change.model_dump(mode="json") for change in changes]
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
        return
    for change in changes:
        sys.stdout.write(f"{change}\n")
    if not changes:
        sys.stdout.write("no difference\n")


def command(
    before: Before,
    after: After = None,
    format: Format = "text",
    url: Url = None,
    key: Key = None,
) -> None:
    if after is None:
        before, after = published(before), before
    compare(before, after, format, fetching(url, key))


def published(file: str) -> str:
    """The name under which the journey of a file is published."""
    if not Path(file).is_file():
        raise CommandError(f"there is no file {file!r}; name a file, or two versions to compare")
    return find(file)[0].journey
