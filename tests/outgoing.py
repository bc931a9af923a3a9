"""Messages for the tests of channels, and commits that count."""

import asyncio
from collections.abc import Iterable, Mapping
from uuid import UUID, uuid4

from channels.base import Accepted, Commit, Outgoing, Source


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


class Fetched:
    """A parcel that remembers what became of it."""

    is_wanted = True
    is_awaited = False

    def __init__(self, message: Outgoing, commit: Commit) -> None:
        self.message = message
        self.commit = commit
        self.came_to: asyncio.Future[Accepted | Exception] = asyncio.Future()

    def succeed(self, accepted: Accepted) -> None:
        """Part of `Parcel`."""
        self.came_to.set_result(accepted)

    def fail(self, error: Exception) -> None:
        """Part of `Parcel`."""
        self.came_to.set_result(error)


def source(parcels: Iterable[Fetched]) -> Source:
    """Gives these one after the other."""
    left = iter(parcels)
    return lambda: next(left, None)
