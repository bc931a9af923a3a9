"""Messages for the tests of channels, and commits that count."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from channels.base import Outgoing


def outgoing(
    address: str = "ann@example.com",
    *,
    id: UUID | None = None,
    channel: str = "email",
    sender: str = "The Shop <shop@example.org>",
    parts: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Outgoing:
    """A message showing only what matters."""
    return Outgoing(
        id=id or uuid4(),
        channel=channel,
        address=address,
        parts=parts or {"subject": "Hello", "text": "Hi Ann\n", "html": "<p>Hi Ann</p>\n"},
        sender=sender,
        instance=uuid4(),
        journey="welcome",
        step="s1",
        headers=headers or {},
    )


class Commits:
    """A commit that says `answer` and counts how often it was asked."""

    def __init__(self, answer: bool = True) -> None:
        self.count = 0
        self.answer = answer

    async def __call__(self) -> bool:
        """Part of `Commit`."""
        self.count += 1
        return self.answer
