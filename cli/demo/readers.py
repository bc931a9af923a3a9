"""The shop's customers as readers of their mail: some click on a link, a few have heard enough."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any

from embedded.mbox import FROM

CLICKS, UNSUBSCRIBES = 0.2, 0.02
SHOP = "@customers.example"


class Postbox:
    """The mailbox's file, read on from where it was left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new(self) -> Iterator[EmailMessage]:
        """The mails that came since the last look; each is written in one piece."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        self._read += len(data)
        for mail in data.split(FROM)[1:]:
            yield message_from_bytes(mail, policy=policy.default)


def reactions(mail: EmailMessage, now: datetime) -> Iterator[dict[str, Any]]:
    """The events that a mail brings about; the same mail always the same."""
    id = str(mail["X-Parcours-Message"])
    chance = Random(id)
    mood, at = chance.random(), now + timedelta(hours=chance.uniform(0.5, 9))
    if mood < CLICKS:
        yield reaction(mail, "Message Clicked", {"message_id": id}, at)
    elif mood > 1 - UNSUBSCRIBES:
        yield reaction(mail, "Unsubscribed", {"channel": "email"}, at)


def reaction(
    mail: EmailMessage, name: str, properties: dict[str, Any], at: datetime
) -> dict[str, Any]:
    """A tracking event of the one whom the mail went to."""
    return {
        "type": "track",
        "userId": str(mail["To"]).removesuffix(SHOP),
        "event": name,
        "properties": properties,
        "messageId": f"reader-{mail['X-Parcours-Message']}",
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds"),
    }
