"""The ledger as it is written, by the one attempt that may send a message.

A row begins as `sending` at the point of no return. A message never begun was certainly not sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from storage import messages
from storage.messages import Message, MessageState
from storage.pool import Db
from storage.trail import WRITE, Visit

LEASE = timedelta(seconds=10)


@dataclass(slots=True)
class Begin:
    """An attempt at the point of no return."""

    id: UUID
    instance: UUID
    step: str
    visit: int
    channel: str
    class_: str
    topic: str | None
    guarantee: str
    attempt: UUID
    provider: str
    at: datetime


@dataclass(slots=True)
class Settle:
    """What became of an attempt, or of a message that was not attempted (`attempt` is None)."""

    id: UUID
    instance: UUID
    step: str
    visit: int
    channel: str
    class_: str
    topic: str | None
    guarantee: str
    state: MessageState
    at: datetime
    attempt: UUID | None = None
    reason: str | None = None
    detail: str | None = None
    provider: str | None = None
    provider_id: str | None = None


# The open instance `a.instance`, its row held until the end is written. One by one, so that no
# plan reads all of a journey's instances, whatever Postgres believes of their number.
LOCKED = """
    (
        SELECT n.id, n.customer, n.journey, n.entered_at, n.run, n.paged FROM instances n
        WHERE n.id = a.instance AND n.ended_at IS NULL LIMIT 1 FOR SHARE
    )
"""
# Nothing holds the instance `i` back: its journey, or the run whose broadcast it is in. Each is
# looked up by its key: joined, all journeys that there are would be read every time.
MAY_SEND = """
    (
        SELECT j.paused_at IS NULL AND (j.stopped_at IS NULL OR i.entered_at > j.stopped_at)
        FROM journeys j WHERE j.name = i.journey
    )
    AND coalesce((SELECT r.state = 'running' FROM runs r WHERE i.paged AND r.id = i.run), true)
"""


async def begin(connection: Db, begins: Sequence[Begin]) -> set[UUID]:
    """The attempts (by their id) that may pass the point of no return.

    Refused for an instance that has ended or is held back (a broadcast's by its run, too), and for
    a message that another attempt has: the row of the instance is locked, so that nothing passes
    after its end is written.
    """
    rows = await connection.fetch(
        f"""
        WITH asked AS (
            SELECT * FROM jsonb_to_recordset($1) AS b (
                id uuid, instance uuid, step text, visit int, channel text, class_ text,
                topic text, guarantee text, attempt uuid, provider text, at timestamptz)
        ), open AS (
            SELECT i.id, i.customer, i.journey
            FROM (SELECT DISTINCT instance FROM asked ORDER BY instance) a
            CROSS JOIN LATERAL {LOCKED} i
            WHERE {MAY_SEND}
        )
        INSERT INTO messages AS m (id, instance, customer, journey, step, visit, channel, class,
            topic, guarantee, state, attempt, attempts, lease_until, provider, at)
        SELECT a.id, a.instance, o.customer, o.journey, a.step, a.visit, a.channel, a.class_,
               a.topic, a.guarantee, 'sending', a.attempt, 1, now() + $2, a.provider, a.at
        FROM asked a JOIN open o ON o.id = a.instance
        ORDER BY a.id
        ON CONFLICT (id) DO UPDATE SET
            state = 'sending', attempt = excluded.attempt, attempts = m.attempts + 1,
            lease_until = excluded.lease_until, provider = excluded.provider, reason = NULL
        WHERE m.state = 'deferred'
           OR (m.state = 'unknown' AND m.guarantee = 'at_least_once')
        RETURNING attempt
        """,  # noqa: S608
        list(begins),
        LEASE,
    )
    return {record["attempt"] for record in rows}


async def settle(connection: Db, settles: Sequence[Settle], visits: Sequence[Visit] = ()) -> None:
    """Write down what became of messages, and with it the visits that this ends.

    An attempt that lost its lease to another writes nothing to the ledger. An `unknown` may still
    be settled by the attempt that it was: it turned out to be alive.
    """
    await connection.execute(
        f"""
        WITH {WRITE}
        INSERT INTO messages AS m (id, instance, customer, journey, step, visit, channel, class,
            topic, guarantee, state, reason, detail, attempt, attempts, provider, provider_id, at,
            settled_at)
        SELECT s.id, s.instance, i.customer, i.journey, s.step, s.visit, s.channel, s.class_,
               s.topic, s.guarantee, s.state, s.reason, s.detail, s.attempt,
               CASE WHEN s.attempt IS NULL THEN 0 ELSE 1 END, s.provider, s.provider_id, s.at, s.at
        FROM jsonb_to_recordset($2) AS s (
            id uuid, instance uuid, step text, visit int, channel text, class_ text, topic text,
            guarantee text, state text, at timestamptz, attempt uuid, reason text, detail text,
            provider text, provider_id text)
        CROSS JOIN LATERAL (
            SELECT customer, journey FROM instances n WHERE n.id = s.instance LIMIT 1
        ) i
        ORDER BY s.id
        ON CONFLICT (id) DO UPDATE SET
            state = excluded.state, reason = excluded.reason, detail = excluded.detail,
            provider = coalesce(excluded.provider, m.provider),
            provider_id = excluded.provider_id, settled_at = excluded.settled_at,
            lease_until = NULL
        WHERE m.state IN ('sending', 'deferred', 'unknown')
          AND (m.attempt = excluded.attempt OR excluded.attempt IS NULL AND m.state = 'deferred')
        """,  # noqa: S608
        list(visits),
        list(settles),
    )


async def renew(connection: Db, alive: Mapping[UUID, UUID]) -> None:
    """These messages, each with its attempt, are still being sent."""
    await connection.execute(
        """
        UPDATE messages m SET lease_until = now() + $3
        FROM unnest($1::uuid[], $2::uuid[]) AS a (id, attempt)
        WHERE m.id = a.id AND m.state = 'sending' AND m.attempt = a.attempt
        """,
        list(alive),
        list(alive.values()),
        LEASE,
    )


async def lapse(connection: Db, id: UUID) -> Message | None:
    """The message; `unknown` from now on if the attempt that was sending it is dead."""
    await connection.execute(
        """
        UPDATE messages SET state = 'unknown', lease_until = NULL, settled_at = at,
               reason = 'attempt_died',
               detail = 'the sender died after the point of no return, before the answer'
        WHERE id = $1 AND state = 'sending' AND lease_until < now()
        """,
        id,
    )
    return await messages.get(connection, id)


async def lapse_all(connection: Db, since: datetime | None) -> None:
    """Messages of `since` whose attempt died and whose instance asks no more become `unknown`."""
    await connection.execute(
        """
        UPDATE messages SET state = 'unknown', lease_until = NULL, settled_at = at,
               reason = 'attempt_died',
               detail = 'the sender died after the point of no return, before the answer'
        WHERE state = 'sending' AND lease_until < now() - interval '1 minute'
          AND at >= coalesce($1::timestamptz, '-infinity')
        """,
        since,
    )
