"""`parcours audience check`: everything that is wrong with audience files, at once."""

import json
import sys

import typer
from rich.console import Console

from cli.audience.files import Files, load
from cli.check import lines
from cli.format import Format


def command(files: Files, format: Format = "text") -> None:
    loaded = load(files)
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
