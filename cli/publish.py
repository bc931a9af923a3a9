"""`parcours publish`: journey files become the newest versions on a server."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.check import lines
from cli.client import Key, Server, Url, server
from cli.errors import CommandError
from cli.files import Loaded, load
from cli.format import Format

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Journey files.")]


def command(files: Files, url: Url = None, key: Key = None, format: Format = "text") -> None:
    loaded = [load(path) for path in files]
    check(loaded)
    answers = publish(server(url, key), loaded)
    if format == "json":
        sys.stdout.write(json.dumps(answers, indent=2, ensure_ascii=False) + "\n")
        return
    for answer in answers:
        sys.stdout.write(f"{said(answer)}\n")
        for warning in answer["warnings"]:
            if warning["code"] == "no_audience":  # what only the server can tell
                sys.stderr.write(f"{warning['message']} ({warning['hint']})\n")


def check(loaded: Sequence[Loaded]) -> None:
    """Say what is wrong with the files, and go no further where it is an error."""
    if any(one.findings for one in loaded):
        console = Console(highlight=False, soft_wrap=True, stderr=True)
        for line in lines(loaded):
            console.print(line)
    if not all(one.is_sound for one in loaded):
        raise CommandError("nothing was published: put the errors right first")


def publish(to: Server, loaded: Sequence[Loaded]) -> list[dict[str, Any]]:
    """Publish each file; what the server answered."""
    return [
        to.put(
            "journeys",
            one.journey.journey,
            body={
                "definition": one.definition,
                "templates": {
                    name: template.model_dump(mode="json")
                    for name, template in one.templates.items()
                },
            },
        )
        for one in loaded
    ]


def said(answer: dict[str, Any]) -> str:
    """What became of one file."""
    version = f"{answer['journey']}@{answer['version']}"
    state = "published" if answer["is_new"] else "unchanged"
    way = f": {answer['way']['why']}" if answer.get("way") else ""
    return f"{version} {state}{way}"
