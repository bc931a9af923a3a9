"""Which commands there are, what the help says of each, and where it stands.

A command's module is imported only where its name is on the command line: all of them together
take a second and a half.
"""

import pkgutil
from collections.abc import Collection, Mapping
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
    "runs": Command(
        "cli.runs:listed", "List a journey's runs, the latest first: when, how far, who entered."
    ),
    "run": Command(
        "cli.runs:command",
        "Start a run of a journey now, or pause, resume or cancel one that is under way.",
    ),
    "why": Command(
        "cli.why:command",
        "Say why: for each journey entered or why not, each step and exit, each message's fate.",
    ),
}

AUDIENCE = {
    "check": Command(
        "cli.audience.checking:command",
        "Check audience files: every error and warning with its place and what to do about it.",
    ),
    "publish": Command(
        "cli.audience.publishing:command",
        "Check audience files and publish them; nothing is published while one has an error.",
    ),
    "list": Command("cli.audience.listing:command", "List the audiences and their sizes."),
    "show": Command(
        "cli.audience.showing:command", "Show an audience, who uses it, and its size by day."
    ),
    "estimate": Command(
        "cli.audience.estimating:command", "Count who would be in an audience, before publishing."
    ),
    "members": Command(
        "cli.audience.members:command", "List who is in an audience, since when and why."
    ),
    "explain": Command(
        "cli.audience.explaining:command",
        "Show the statement that finds the members, and Postgres's plan for it.",
    ),
    "delete": Command("cli.audience.deleting:command", "Delete an audience that nothing uses."),
    "import": Command(
        "cli.audience.importing:command",
        "Put the customers of a CSV file on a list, or take them off; killed, it goes on.",
    ),
    "export": Command(
        "cli.audience.exporting:command",
        "Write out the members of an audience, now or as of an instant.",
    ),
}
GROUPS = {"audience": (AUDIENCE, "Audiences: who is in which group.")}


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
    add(app, COMMANDS, words)
    for name, (commands, help) in GROUPS.items():
        group = typer.Typer(name=name, help=help, no_args_is_help=True)
        add(group, commands, words if name in words else ())
        app.add_typer(group)
    return app


def add(app: typer.Typer, commands: Mapping[str, Command], words: Collection[str]) -> None:
    """Put commands into a group."""
    for name, (place, help) in commands.items():
        function = pkgutil.resolve_name(place) if name in words else not_asked_for
        app.command(name, help=help)(function)


def parcours() -> None:
    """Customer journeys that survive anything."""


def not_asked_for() -> None:
    """Stands for a command that is only listed in the help."""
