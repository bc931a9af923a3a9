"""Which commands there are, what the help says of each, and where it stands.

A command's module is imported only where its name is on the command line: all of them together
take a second and a half.
"""

import pkgutil
from collections.abc import Collection
from typing import NamedTuple

import typer


class Command(NamedTuple):
    """One command: the place of its function, and its help."""

    place: str
    help: str


COMMANDS = {
    "demo": Command(
        "cli.demo.command:command",
        "Play five weeks of a made-up shop through the example journeys, in under three minutes.",
    ),
    "up": Command(
        "cli.up:command",
        "Start everything that is not configured, and stay until Ctrl-C; data is kept.",
    ),
    "migrate": Command(
        "cli.migrate:command",
        "Bring PARCOURS_DATABASE_URL up to this release and make its keys.",
    ),
    "api": Command(
        "cli.processes:api",
        "Serve the HTTP API in this process, with what the settings name.",
    ),
    "worker": Command(
        "cli.processes:worker",
        "Run one worker in this process, with what the settings name.",
    ),
    "check": Command(
        "cli.check:command",
        "Check journey files: every error and warning with its place and what to do about it.",
    ),
    "show": Command(
        "cli.show:command",
        "Show a journey: its rules, its steps, and where each exit leads.",
    ),
    "diff": Command(
        "cli.diff:command",
        "Compare two versions of a journey, or a file with what is published.",
    ),
    "schema": Command("cli.schema:command", "Print the JSON Schema of journey files."),
    "simulate": Command(
        "cli.simulate:command",
        "Run journeys over a history of events: who enters, where they go, what they are sent.",
    ),
    "replay": Command(
        "cli.replay:command",
        "Post a file of events to a running system; sending it twice does no harm.",
    ),
    "publish": Command(
        "cli.publish:command",
        "Check journey files and publish them; nothing is published while one has an error.",
    ),
    "list": Command(
        "cli.control:listed",
        "List the published journeys: state, version, who entered and who is inside.",
    ),
    "pause": Command("cli.control:pause", "Take no entries and hold every effect back."),
    "resume": Command("cli.control:resume", "Go on after a pause."),
    "close": Command("cli.control:close", "Take no entries; those inside go on."),
    "open": Command("cli.control:open", "Take entries again."),
    "stop": Command("cli.control:stop", "Take no entries and end everybody inside."),
    "why": Command(
        "cli.why:command",
        "Say why: for each journey entered or why not, each step and exit, each message's fate.",
    ),
}


def command_line(words: Collection[str]) -> typer.Typer:
    """All commands; those whose names are among the words can run."""
    app = typer.Typer(
        name="parcours",
        help="Customer journeys that survive anything.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(parcours)
    for name, (place, help) in COMMANDS.items():
        function = pkgutil.resolve_name(place) if name in words else not_asked_for
        app.command(name, help=help)(function)
    return app


def parcours() -> None:
    """Customer journeys that survive anything."""


def not_asked_for() -> None:
    """Stands for a command that is only listed in the help."""
