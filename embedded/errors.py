"""What can go wrong with the servers we start ourselves.

EmbeddedError
├── ProgramMissingError     a program we need cannot be found or made
├── StartFailedError        a server did not come up, or a process keeps dying
└── DirectoryBusyError      another `parcours up` works in the same data directory
"""


class EmbeddedError(Exception):
    """A server beside us is not to be had; the message says which and what to do."""


class ProgramMissingError(EmbeddedError):
    """A program we need is neither on this machine nor to be made here."""


class StartFailedError(EmbeddedError):
    """A server was started and did not become ready."""


class DirectoryBusyError(EmbeddedError):
    """Another process works in this data directory."""
