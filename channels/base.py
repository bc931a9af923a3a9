"""What every provider is handed, gives back and may raise; how it sends is its own business.

ChannelError
├── TemporaryFailure      certainly not sent; another attempt may succeed
│   └── RateLimited       the same, because we asked too often
├── PermanentFailure      certainly not sent, and never will be
├── OutcomeUnknown        failed after the point of no return
└── Withdrawn             certainly not sent, because we did not want it any more

InvalidRouteError         a provider cannot be opened as it is configured
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

Commit = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Outgoing:
    """One rendered message on its way to a provider; its id is the ledger's.

    `instance`, `journey` and `step` say what it was sent for.
    """

    id: UUID
    channel: str
    address: str
    parts: Mapping[str, str]
    sender: str
    instance: UUID
    journey: str
    step: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Accepted:
    """The provider took the message over: its own id for it, and its words."""

    provider_id: str | None
    detail: str


class Parcel(Protocol):
    """A message that a provider fetches by itself, and who answers for it.

    Either `succeed` or `fail` is called, once, and in the instant in which it is known.
    """

    @property
    def message(self) -> Outgoing:
        """What is sent."""
        ...

    @property
    def is_wanted(self) -> bool:
        """Whether it is still to be sent."""
        ...

    @property
    def is_awaited(self) -> bool:
        """Whether a task waits for the answer, which hears of it a turn of the loop later."""
        ...

    def commit(self) -> Awaitable[bool]:
        """Part of `Provider.send`."""
        ...

    def succeed(self, accepted: Accepted) -> None:
        """It was taken."""
        ...

    def fail(self, error: Exception) -> None:
        """It was not, or nobody knows: a `ChannelError`, or whatever went wrong."""
        ...


Source = Callable[[], Parcel | None]
"""Gives the next parcel, or None while there is none."""


class Provider(Protocol):
    """Carries messages of one channel.

    `commit` is awaited at the point of no return; on False nothing is sent and `Withdrawn` is
    raised. A provider never tries again by itself after it. A caller may cancel `send` before the
    commit, and shields it from then on.
    """

    name: str
    takes_idempotency_key: bool

    async def send(self, message: Outgoing, commit: Commit) -> Accepted:
        """Send one message, or raise a `ChannelError` that says what is certain."""
        ...

    def pull(self, source: Source) -> None:
        """Carry what `source` gives, as `send` would, until it gives nothing."""
        ...

    async def close(self) -> None:
        """Let go of connections; messages under way are not waited for."""
        ...


class ChannelError(Exception):
    """A message could not be sent; `detail` holds the provider's words and may name the address."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class TemporaryFailure(ChannelError):
    """The message was not accepted now; it may be later."""

    def __init__(self, detail: str, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RateLimited(TemporaryFailure):
    """The provider asks for fewer messages."""


class PermanentFailure(ChannelError):
    """The message will never be accepted; `suppress` says that the address itself is bad."""

    def __init__(self, detail: str, suppress: bool = False) -> None:
        super().__init__(detail)
        self.suppress = suppress


class OutcomeUnknown(ChannelError):
    """The message may have been accepted: no answer came after the point of no return."""


class Withdrawn(ChannelError):
    """The commit was refused, and nothing was sent."""


class InvalidRouteError(ValueError):
    """A provider's URL or secret cannot be used; the message says why and shows no secret."""
