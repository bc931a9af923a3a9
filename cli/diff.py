"""`parcours diff`: what differs between two versions of a journey."""

import json
import sys
from typing import Annotated, Literal

import typer

from cli.show import Fetch, find
from journeys.diff import diff

Before = Annotated[str, typer.Argument(metavar="BEFORE", help="A file, or NAME or NAME@VERSION.")]
After = Annotated[str, typer.Argument(metavar="AFTER", help="A file, or NAME or NAME@VERSION.")]
Format = Annotated[Literal["text", "json"], typer.Option("--format", help="How to say it.")]


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


def command(before: Before, after: After, format: Format = "text") -> None:
    """Compare two versions of a journey: rules, steps, where exits lead, templates."""
    compare(before, after, format)
