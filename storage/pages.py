"""What a page of a broadcast writes: lines of the ledger on its way, its visits at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.attempts import LEASE, LOCKED, MAY_SEND
from storage.messages import MessageState
from storage.pool import Db
from storage.trail import Visit


class Common(NamedTuple):
    """What the ledger's lines of one step have in common, visited as the `visit`th."""

    step: str
    visit: int
    channel: str
    class_: str
    topic: str | None
    guarantee: str
    provider: str


@dataclass(slots=True, eq=False)
class Copy:
    """A message of a page, tried once: `sending` until something became of it."""

    id: UUID
    instance: UUID
    attempt: UUID
    at: datetime
    common: Common
    state: MessageState = "sending"
    reason: str | None = None
    detail: str | None = None
    provider_id: str | None = None
    is_committed: bool = False


async def exchange(connection: Db, begins: Sequence[Copy], settles: Sequence[Copy]) -> set[UUID]:
    """Write what became of messages, and begin others; the messages that may be sent now.

    As `attempts.begin` and `attempts.settle` do it, without visits: a page writes those at its
    end. One statement for those of one step, which is nearly always all of them. Doing it twice is
    harmless: what an attempt has begun is its own.
    """
    alike: dict[Common | None, list[Copy]] = {} if begins else {None: []}
    for one in begins:
        alike.setdefault(one.common, []).append(one)
    begun: set[UUID] = set()
    for common, group in alike.items():
        begun |= await _exchange(connection, group, common, settles)
        settles = ()
    return begun


async def _exchange(
    connection: Db, begins: Sequence[Copy], common: Common | None, settles: Sequence[Copy]
) -> set[UUID]:
    rows = await connection.fetch(
        f"""
        WITH settled AS (
            UPDATE messages m SET state = s.state, reason = s.reason, detail = s.detail,
                provider_id = s.provider_id, settled_at = s.at, lease_until = NULL
            FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                        $7::timestamptz[])
                AS s (id, attempt, state, reason, detail, provider_id, at)
            WHERE m.id = s.id AND m.id = ANY ($1::uuid[]) AND m.attempt = s.attempt
              AND m.state IN ('sending', 'deferred', 'unknown')
        )
        INSERT INTO messages AS m (id, instance, customer, journey, step, visit, channel, class,
            topic, guarantee, state, attempt, attempts, lease_until, provider, at)
        SELECT a.id, a.instance, i.customer, i.journey, $12::text, $13::int, $14::text, $15::text,
               $16::text, $17::text, 'sending', a.attempt, 1, now() + $19, $18::text, a.at
        FROM (
            SELECT * FROM unnest($8::uuid[], $9::uuid[], $10::uuid[], $11::timestamptz[])
                AS b (id, instance, attempt, at)
            ORDER BY instance
        ) a CROSS JOIN LATERAL {LOCKED} i
        WHERE {MAY_SEND}
        ON CONFLICT (id) DO UPDATE SET
            state = 'sending', attempt = excluded.attempt, attempts = m.attempts + 1,
            lease_until = excluded.lease_until, provider = excluded.provider, reason = NULL
        WHERE m.state = 'deferred'
           OR (m.state = 'unknown' AND m.guarantee = 'at_least_once')
           OR (m.state = 'sending' AND m.attempt = excluded.attempt)
        RETURNING id
        """,  # noqa: S608
        [one.id for one in settles],
        [one.attempt for one in settles],
        [one.state for one in settles],
        [one.reason for one in settles],
        [one.detail for one in settles],
        [one.provider_id for one in settles],
        [one.at for one in settles],
        [one.id for one in begins],
        [one.instance for one in begins],
        [one.attempt for one in begins],
        [one.at for one in begins],
        *(common or (None,) * len(Common._fields)),
        LEASE,
    )
    return {row["id"] for row in rows}


async def close(connection: Db, visits: Sequence[Visit]) -> None:
    """Write down what a page has come to: its visits in order, and where each instance stands.

    As `trail.write` does it for visits that are over. What somebody else has written first stays,
    except that who came to the end while the run was cancelled was not cancelled.
    """
    stands = {one.instance: one for one in visits}.values()
    await connection.execute(
        """
        WITH written AS (
            INSERT INTO trail (entered_at, instance, visit, step, at, left_at, exit, result, why)
            SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::int[], $4::text[],
                $5::timestamptz[], $6::timestamptz[], $7::text[], $8::jsonb[], $9::jsonb[])
            ON CONFLICT DO NOTHING
        )
        UPDATE instances i SET visit = s.visit, position = s.position, outcome = s.outcome,
            ended_at = CASE WHEN s.outcome IS NOT NULL THEN s.at END
        FROM unnest($10::uuid[], $11::int[], $12::text[], $13::timestamptz[], $14::text[])
            AS s (instance, visit, position, at, outcome)
        WHERE i.id = s.instance AND (coalesce(i.ended_at, 'infinity') = 'infinity'
            OR i.outcome = 'cancelled' AND s.outcome IS NOT NULL)
        """,
        [one.entered_at for one in visits],
        [one.instance for one in visits],
        [one.visit for one in visits],
        [one.step for one in visits],
        [one.at for one in visits],
        [one.left_at for one in visits],
        [one.exit for one in visits],
        [one.result for one in visits],
        [one.why for one in visits],
        [one.instance for one in stands],
        [one.visit for one in stands],
        [one.position for one in stands],
        [one.left_at for one in stands],
        [one.outcome for one in stands],
    )
