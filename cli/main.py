"""The command line.

To add a command: write a function with typer's annotations in `cli/<noun>.py` and add one entry to
`cli/commands.py`. A command raises what it means; `main` prints the text and exits with 1, or with
2 when the command line itself is wrong. Nobody sees a stack trace.
"""

import sys
import traceback

from cli.commands import command_line


def main() -> None:
    """Run the command line of this process."""
    try:
        command_line(sys.argv[1:])()
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
