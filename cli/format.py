"""How a command says what it found: in words, or as JSON for programs."""

from typing import Annotated, Literal

import typer

Format = Annotated[Literal["text", "json"], typer.Option("--format", help="How to say it.")]
