"""`parcours check`: everything that is wrong with journey files, at once."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.markup import escape

from cli.files import load
from cli.format import Format
from journeys.finding import Finding

COLOURS = {"error": "red", "warning": "yellow"}


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Journey files.")],
    format: Format = "text",
) -> None:
    loaded = [load(path) for path in files]
    findings = [finding for one in loaded for finding in one.findings]
    if format == "json":
        said = [finding.model_dump(mode="json") for finding in findings]
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    else:
        console = Console(highlight=False, soft_wrap=True)
        for line in lines(loaded):
            console.print(line)
    if not all(one.is_sound for one in loaded):
        raise typer.Exit(1)


class Checked(Protocol):
    """A file that was checked."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with it."""


def lines(loaded: Iterable[Checked]) -> Iterator[str]:
    """The findings file by file, in rich's markup, with a summary at the end."""
    loaded = list(loaded)
    for one in loaded:
        for finding in one.findings:
            yield from say(finding)
    yield summary(loaded)


def say(finding: Finding) -> Iterator[str]:
    """One finding: where, what, what to do, and the place in an expression."""
    place = f"{finding.file}:{finding.line}"
    colour = COLOURS[finding.severity]
    step = f"step '{finding.step}': " if finding.step else ""
    yield (
        f"[bold]{escape(place)}[/bold]: [{colour}]{finding.severity}[/{colour}]: "
        f"{escape(step + finding.message)}"
    )
    for line in (finding.excerpt or "").splitlines():
        yield f"      {escape(line)}"
    yield f"    [dim]→ {escape(finding.hint)}[/dim]"


def summary(loaded: list[Checked]) -> str:
    """How it all ends."""
    found = [finding.severity for one in loaded for finding in one.findings]
    files = count(len(loaded), "file")
    if not found:
        return f"[green]{files} checked, nothing wrong[/green]"
    errors = count(found.count("error"), "error")
    return f"{files} checked: {errors}, {count(found.count('warning'), 'warning')}"


def count(number: int, noun: str) -> str:
    """`1 error`, `2,000 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
