"""One try to send: what a provider's answer means, and the lines of the ledger it makes."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from activities.letters import Letter
from channels.base import (
    Commit,
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

LONGEST = 500  # characters of a provider's words that are kept


@dataclass(slots=True)
class Said:
    """What a provider's answer means for the ledger."""

    state: MessageState
    reason: str | None
    detail: str
    provider_id: str | None = None


@dataclass(slots=True)
class Try:
    """A written message on its way to a provider, in this process."""

    letter: Letter
    provider: Provider
    address: str
    parts: dict[str, str]
    attempt: UUID = field(default_factory=uuid4)
    is_committed: bool = False

    def outgoing(self, sender: str) -> Outgoing:
        """The message as the provider is handed it."""
        letter = self.letter
        return Outgoing(
            id=letter.id,
            channel=letter.step.channel,
            address=self.address,
            parts=self.parts,
            sender=sender,
            instance=letter.ask.instance,
            journey=letter.plan.name,
            step=letter.step.id,
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
            guarantee=letter.circular.guarantee,
            attempt=self.attempt,
            provider=self.provider.name,
            at=letter.ask.now,
        )

    def line(self, said: Said) -> Settle:
        """The line of the ledger that a provider's answer makes."""
        return self.letter.settled(
            said.state,
            self.attempt,
            reason=said.reason,
            detail=said.detail[:LONGEST],
            provider=self.provider.name,
            provider_id=said.provider_id,
        )


def said_of(error: Exception) -> Said | None:
    """What a provider's error means for good; None if it means nothing to us."""
    if isinstance(error, PermanentFailure):
        return Said("refused", "refused", error.detail)
    if isinstance(error, OutcomeUnknown):
        return Said("unknown", "no_answer", error.detail)
    return None


def deferred(failure: TemporaryFailure) -> Said:
    """What is said of a message that is to be tried again."""
    return Said("deferred", "temporary", failure.detail)


@dataclass(frozen=True, slots=True)
class Sender:
    """Hands messages to providers, and remembers bad addresses."""

    pool: Pool
    secret: bytes

    async def send(
        self, provider: Provider, message: Outgoing, commit: Commit, now: datetime
    ) -> Said | None:
        """What the provider says; None where the commit withdrew the message.

        Raises:
            TemporaryFailure: the message is not sent.
        """
        try:
            accepted = await provider.send(message, commit)
        except Withdrawn:
            return None
        except PermanentFailure as failure:
            if failure.suppress:
                await self.suppress(message, now)
            return said_of(failure)
        except OutcomeUnknown as failure:
            return said_of(failure)
        return Said("accepted", None, accepted.detail, accepted.provider_id)

    async def suppress(self, message: Outgoing, now: datetime) -> None:
        """Do not write again to an address that its provider calls bad."""
        await consent.suppress(
            self.pool, message.channel, message.address, self.secret, "refused", now
        )
