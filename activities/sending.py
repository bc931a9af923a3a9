"""One try to send: what a provider's answer means, and the lines of the ledger it makes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from activities.letters import Letter
from channels.base import (
    OutcomeUnknown,
    Outgoing,
    PermanentFailure,
    Provider,
    TemporaryFailure,
    Withdrawn,
)
from storage import consent
from storage.attempts import Begin, Settle
from storage.messages import MessageState
from storage.pool import Pool


@dataclass(slots=True)
class Said:
    """What a provider's answer means for the ledger."""

    state: MessageState
    reason: str | None
    detail: str
    provider_id: str | None = None


@dataclass(slots=True)
class Attempt:
    """An attempt under way in this process."""

    id: UUID = field(default_factory=uuid4)
    is_committed: bool = False


@dataclass(slots=True)
class Try:
    """A written message on its way to a provider."""

    letter: Letter
    provider: Provider
    address: str
    parts: dict[str, str]
    attempt: Attempt = field(default_factory=Attempt)

    def outgoing(self, sender: str) -> Outgoing:
        """The message as the provider is handed it."""
        return Outgoing(
            id=self.letter.id,
            channel=self.letter.step.channel,
            address=self.address,
            parts=self.parts,
            sender=sender,
            metadata={
                "instance": str(self.letter.ask.instance),
                "journey": self.letter.plan.name,
                "step": self.letter.step.id,
            },
        )

    def beginning(self) -> Begin:
        """The line of the ledger at the point of no return."""
        letter = self.letter
        return Begin(
            id=letter.id,
            instance=letter.ask.instance,
            step=letter.step.id,
            visit=letter.ask.visit,
            channel=letter.step.channel,
            class_=letter.plan.journey.class_,
            topic=letter.step.topic,
            guarantee=letter.guarantee,
            attempt=self.attempt.id,
            provider=self.provider.name,
            at=letter.ask.now,
        )

    def line(self, said: Said) -> Settle:
        """The line of the ledger that a provider's answer makes."""
        return self.letter.settled(
            said.state,
            self.attempt.id,
            reason=said.reason,
            detail=said.detail[:500],
            provider=self.provider.name,
            provider_id=said.provider_id,
        )

    def deferred(self, failure: TemporaryFailure) -> Settle:
        """The line of a message that is to be tried again."""
        return self.line(Said("deferred", "temporary", failure.detail))


@dataclass(frozen=True, slots=True)
class Sender:
    """Who messages are from, and what is remembered of addresses."""

    pool: Pool
    name: str
    secret: bytes

    async def send(self, one: Try, begin: Callable[[Begin], Awaitable[bool]]) -> Said | None:
        """What the provider says; `begin` is asked at the point of no return. None: withdrawn.

        Raises:
            TemporaryFailure: the message is not sent.
        """

        async def commit() -> bool:
            one.attempt.is_committed = await begin(one.beginning())
            return one.attempt.is_committed

        try:
            accepted = await one.provider.send(one.outgoing(self.name), commit)
        except Withdrawn:
            return None
        except PermanentFailure as failure:
            await self._suppress(one, failure)
            return Said("refused", "refused", failure.detail)
        except OutcomeUnknown as failure:
            return Said("unknown", "no_answer", failure.detail)
        return Said("accepted", None, accepted.detail, accepted.provider_id)

    async def _suppress(self, one: Try, failure: PermanentFailure) -> None:
        """Do not write to an address again that the provider calls bad."""
        if failure.suppress:
            letter = one.letter
            await consent.suppress(
                self.pool, letter.step.channel, one.address, self.secret, "refused", letter.ask.now
            )
