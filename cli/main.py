"""The command line.

To add a command: write a function with typer's annotations in `cli/<noun>.py` (its docstring is the
help) and add one line to COMMANDS. A command raises what it means; `main` prints the text and exits
with 1, or with 2 when the command line itself is wrong. Nobody sees a stack trace.
"""

import sys
import traceback
from collections.abc import Callable

import typer

from cli import (
    check,
    control,
    diff,
    migrate,
    processes,
    publish,
    replay,
    schema,
    show,
    simulate,
    up,
    why,
)
from cli.demo import command as demo

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.command,
    "up": up.command,
    "migrate": migrate.command,
    "api": processes.api,
    "worker": processes.worker,
    "check": check.command,
    "show": show.command,
    "diff": diff.command,
    "schema": schema.command,
    "simulate": simulate.command,
    "replay": replay.command,
    "publish": publish.command,
    "list": control.listed,
    **{name: control.verb(name) for name in control.VERBS},
    "why": why.command,
}

app = typer.Typer(
    name="parcours",
    help="Customer journeys that survive anything.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for name, command in COMMANDS.items():
    app.command(name)(command)


@app.callback()
def parcours() -> None:
    """Customer journeys that survive anything."""


def main() -> None:
    """Run the command line of this process."""
    try:
        app()
    except Exception as error:
        print(f"parcours: {explain(error)}", file=sys.stderr)  # noqa: T201 the user reads this
        sys.exit(1)


def explain(error: Exception) -> str:
    """The text of an error that we raised, or where an unexpected one came from."""
    text = str(error).strip()
    if type(error).__module__.split(".")[0] in OURS and text:
        return text
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {text} ({place.filename}:{place.lineno})"


OURS = {"cli", "embedded", "settings", "journeys", "expressions", "storage", "channels"}
OURS |= {"workflows", "routing"}


if __name__ == "__main__":
    main()
