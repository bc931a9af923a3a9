"""Attempts to send: each owns its message from the point of no return to the written answer."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

from activities.letters import Letter
from channels.base import (
    OutcomeUnknown,
    Outgoing,
    PermanentFailure,
    Provider,
    TemporaryFailure,
    Withdrawn,
)
from storage import attempts, consent
from storage.attempts import Begin, Settle
from storage.gather import Gather
from storage.messages import MessageState
from storage.trail import Visit

RENEWAL = 3.0  # seconds; a lease lasts storage.attempts.LEASE


Settled = tuple[Settle, list[Visit]]
TOGETHER = 200  # lines of the ledger in one statement when many come at once
PAUSES = (0.1, 0.5, 1, 2, 5, *[10] * 60)  # seconds between tries to write an answer down


@dataclass(frozen=True, slots=True)
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


class Attempts:
    """All attempts of this process; renews their leases, and never lets one be cut off."""

    def __init__(self, pool: asyncpg.Pool, sender: str, secret: bytes) -> None:
        self._pool = pool
        self._sender = sender
        self._secret = secret
        self._tasks: dict[UUID, tuple[Attempt, asyncio.Task[Settle | None]]] = {}
        self._begin = Gather(self._begin_all, TOGETHER)
        self.settle: Gather[Settled, None] = Gather(self._settle_all, TOGETHER)

    def under_way(self, id: UUID) -> "asyncio.Task[Settle | None] | None":
        """The attempt for a message, if this process has one."""
        found = self._tasks.get(id)
        return found[1] if found else None

    def begin(
        self, letter: Letter, provider: Provider, address: str, parts: dict[str, str]
    ) -> "asyncio.Task[Settle | None]":
        """Start sending; the task's result is the ledger's new line, None if it was withdrawn.

        Raises (in the task):
            TemporaryFailure: not sent, and written down as deferred if it had begun.
        """
        attempt = Attempt()
        task = asyncio.create_task(self._send(attempt, letter, provider, address, parts))
        self._tasks[letter.id] = (attempt, task)
        task.add_done_callback(lambda _: self._tasks.pop(letter.id, None))
        return task

    def is_committed(self, id: UUID) -> bool:
        """Whether the attempt for a message has passed the point of no return."""
        found = self._tasks.get(id)
        return found is not None and found[0].is_committed

    async def renew_leases(self) -> None:
        """Keep the leases of what is under way, for ever."""
        while True:
            await asyncio.sleep(RENEWAL)
            alive = [attempt.id for attempt, _ in self._tasks.values() if attempt.is_committed]
            if alive:
                try:
                    await attempts.renew(self._pool, alive)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    continue  # a lease that lapses meanwhile is settled by its attempt all the same

    async def finish(self, within: timedelta) -> None:
        """Let what has passed the point of no return come to its end."""
        if self._tasks:
            await asyncio.wait(
                [task for _, task in self._tasks.values()], timeout=within.total_seconds()
            )

    async def _send(
        self,
        attempt: Attempt,
        letter: Letter,
        provider: Provider,
        address: str,
        parts: dict[str, str],
    ) -> Settle | None:
        async def commit() -> bool:
            attempt.is_committed = await self._begin(self._beginning(attempt, letter, provider))
            return attempt.is_committed

        outgoing = Outgoing(
            id=letter.id,
            channel=letter.step.channel,
            address=address,
            parts=parts,
            sender=self._sender,
            headers={},
            metadata={
                "instance": str(letter.ask.instance),
                "journey": letter.plan.name,
                "step": letter.step.id,
            },
        )
        try:
            accepted = await provider.send(outgoing, commit)
        except Withdrawn:
            return None
        except TemporaryFailure as failure:
            if attempt.is_committed:
                said = Said("deferred", "temporary", failure.detail)
                await self._write(letter, attempt, provider, said)
            raise
        except PermanentFailure as failure:
            said = Said("refused", "refused", failure.detail)
            await self._suppress(letter, address, failure)
        except OutcomeUnknown as failure:
            said = Said("unknown", "no_answer", failure.detail)
        else:
            said = Said("accepted", None, accepted.detail, accepted.provider_id)
        return await self._write(letter, attempt, provider, said)

    async def _suppress(self, letter: Letter, address: str, failure: PermanentFailure) -> None:
        """Do not write to an address again that the provider calls bad."""
        if failure.suppress:
            await consent.suppress(
                self._pool, letter.step.channel, address, self._secret, "refused", letter.ask.now
            )

    async def _write(
        self, letter: Letter, attempt: Attempt, provider: Provider, said: "Said"
    ) -> Settle:
        """Write the answer down, however long the database is away."""
        settle = letter.settled(
            said.state,
            attempt.id,
            reason=said.reason,
            detail=said.detail[:500],
            provider=provider.name,
            provider_id=said.provider_id,
        )
        for pause in PAUSES:
            try:
                await self.settle((settle, letter.visits(settle)))
            except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
                await asyncio.sleep(pause)
            else:
                return settle
        await self.settle((settle, letter.visits(settle)))
        return settle

    async def _begin_all(self, begins: list[Begin]) -> list[bool]:
        begun = await attempts.begin(self._pool, begins)
        return [one.attempt in begun for one in begins]

    async def _settle_all(self, settled: list[Settled]) -> list[None]:
        visits = [visit for _, left in settled for visit in left]
        await attempts.settle(self._pool, [settle for settle, _ in settled], visits)
        return [None] * len(settled)

    def _beginning(self, attempt: Attempt, letter: Letter, provider: Provider) -> Begin:
        return Begin(
            id=letter.id,
            instance=letter.ask.instance,
            step=letter.step.id,
            visit=letter.ask.visit,
            channel=letter.step.channel,
            class_=letter.plan.journey.class_,
            topic=letter.step.topic,
            guarantee=letter.guarantee,
            attempt=attempt.id,
            provider=provider.name,
            at=letter.ask.now,
        )
