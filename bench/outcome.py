"""What became of the messages of a run with kills: the ledger held against the mailbox."""

from collections import Counter
from dataclasses import dataclass

import asyncpg

from bench.servers import Servers


@dataclass(frozen=True)
class Outcome:
    """What became of the messages of one run."""

    guarantee: str
    events: int
    once: int
    twice: int
    twice_unnamed: int
    unknown: int
    missing: int
    stuck: int
    kills: int
    recovery: float
    """Seconds from the last kill of a worker to the next mail."""

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        if self.guarantee == "at_least_once":
            return self.missing == self.stuck == self.twice_unnamed == self.unknown == 0
        return self.missing == self.twice == self.stuck == 0


async def held_against(
    connection: asyncpg.Connection,
    up: Servers,
    guarantee: str,
    count: int,
    stuck: int,
    kills: int,
    recovery: float,
) -> Outcome:
    """The ledger against the mailbox."""
    rows = await connection.fetch("SELECT id, state, attempts FROM messages")
    mails: Counter[str] = up.mailbox.message_ids
    states = {str(row["id"]): row["state"] for row in rows}
    doubled = [id for id, times in mails.items() if times > 1]
    named = {str(row["id"]) for row in rows if row["attempts"] > 1}
    return Outcome(
        guarantee=guarantee,
        events=count,
        once=sum(1 for times in mails.values() if times == 1),
        twice=len(doubled),
        twice_unnamed=len(set(doubled) - named),
        unknown=sum(1 for state in states.values() if state == "unknown"),
        missing=count
        - len(states)
        + sum(1 for id, state in states.items() if state != "unknown" and not mails[id]),
        stuck=stuck,
        kills=kills,
        recovery=recovery,
    )
