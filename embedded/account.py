"""The system user for programs that refuse to run as root, and the way to their files."""

import os
import pwd
import subprocess
from pathlib import Path

from embedded.errors import StartFailedError

NAME = "pgserver"


def unprivileged() -> pwd.struct_passwd | None:
    """The user to run Postgres as when we are root, made if need be; otherwise none."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        made = subprocess.run(  # noqa: S603 a fixed command
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/sh", NAME],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        return pwd.getpwnam(NAME)  # whoever made it: another start may have been first
    except KeyError:
        raise StartFailedError(
            f"Postgres does not run as root, and the user {NAME!r} cannot be made: "
            f"{made.stderr.strip()}; start as another user or set PARCOURS_DATABASE_URL"
        ) from None


def open_way(place: Path) -> None:
    """Let other users pass through the folders above `place`; what lies in them stays as it is."""
    for folder in place.parents:
        if folder.exists() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
