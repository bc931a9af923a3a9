"""`parcours show`: a journey in words or as a picture, from a file or as it is published."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from cli.client import Fetch, Key, Url, fetching
from cli.errors import CommandError
from cli.files import load
from journeys.definition import Journey
from journeys.picture import mermaid, outline
from journeys.templates import Template

Pair = tuple[Journey, Mapping[str, Template]]

Source = Annotated[str, typer.Argument(metavar="FILE|NAME[@VERSION]", help="A journey.")]
Picture = Annotated[bool, typer.Option("--mermaid", help="Draw a Mermaid flowchart.")]


def show(source: str, picture: bool, fetch: Fetch | None = None) -> None:
    """Print the journey."""
    journey, _ = find(source, fetch)
    sys.stdout.write((mermaid if picture else outline)(journey) + "\n")


def command(source: Source, picture: Picture = False, url: Url = None, key: Key = None) -> None:
    show(source, picture, fetching(url, key))


def find(source: str, fetch: Fetch | None = None) -> Pair:
    """The journey in a file, or the published one of that name, fetched."""
    path = Path(source)
    if path.is_file() or path.suffix or path.name != source:
        loaded = load(path)
        return loaded.journey, loaded.templates
    if fetch is None:
        raise CommandError(f"there is no file {source!r}")
    name, _, version = source.partition("@")
    if version and not version.isdecimal():
        raise CommandError(f"{source!r} has no version that is a number; write it like welcome@3")
    definition, templates = fetch(name, int(version) if version else None)
    return Journey.model_validate(definition), {
        name: Template.model_validate(template) for name, template in templates.items()
    }
