"""What stops a command.

CommandError
├── AwayError           no server answers (in `client`)
├── ServerError         the server refused (in `client`)
└── WrongClockError     the database lives by another clock than this command
"""


class CommandError(Exception):
    """The command cannot go on; its text is all that the user sees."""


class WrongClockError(CommandError):
    """The database was made with another clock."""
