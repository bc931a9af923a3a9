"""What a page of a broadcast writes: lines of the ledger on its way, its visits at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from storage.attempts import LEASE, LOCKED, MAY_SEND
from storage.columns import shared
from storage.messages import MessageState
from storage.pool import Db, Pool
from storage.trail import KNOWN, Visit

# What an attempt has begun is its own; without that, a row that is there already is an error.
TAKEN_OVER = """
        ON CONFLICT (id) DO UPDATE SET
            state = 'sending', attempt = excluded.attempt, attempts = m.attempts + 1,
            lease_until = excluded.lease_until, provider = excluded.provider, reason = NULL
        WHERE m.state = 'deferred'
           OR (m.state = 'unknown' AND m.guarantee = 'at_least_once')
           OR (m.state = 'sending' AND m.attempt = excluded.attempt)
"""


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


async def exchange(pool: Pool, begins: Sequence[Copy], settles: Sequence[Copy]) -> set[UUID]:
    """Write what became of messages, and begin others; the messages that may be sent now.

    As `attempts.begin` and `attempts.settle` do it, without visits: a page writes those at its
    end. One statement for those of one step, which is nearly always all of them. Doing it twice is
    harmless: what an attempt has begun is its own.
    """
    alike: dict[Common, list[Copy]] = {}
    for one in begins:
        alike.setdefault(one.common, []).append(one)
    if len(alike) > 1:
        return await _exchange_each(pool, alike, settles)
    common = next(iter(alike), None)
    try:
        return await _exchange(pool, begins, common, settles)
    except asyncpg.UniqueViolationError:
        return await _exchange(pool, begins, common, settles, TAKEN_OVER)


async def _exchange_each(
    pool: Pool, alike: Mapping[Common, Sequence[Copy]], settles: Sequence[Copy]
) -> set[UUID]:
    """Those of several steps: all or none, or some would be begun of which nobody hears."""
    begun: set[UUID] = set()
    async with pool.acquire() as connection, connection.transaction():
        for common, group in alike.items():
            begun |= await _exchange(connection, group, common, settles, TAKEN_OVER)
            settles = ()
    return begun


async def _exchange(
    connection: Db,
    begins: Sequence[Copy],
    common: Common | None,
    settles: Sequence[Copy],
    otherwise: str = "",
) -> set[UUID]:
    state, state_each = shared([one.state for one in settles])
    reason, reason_each = shared([one.reason for one in settles])
    detail, detail_each = shared([one.detail for one in settles])
    provider, provider_each = shared([one.provider_id for one in settles])
    rows = await connection.fetch(
        f"""
        WITH settled AS (
            UPDATE messages m SET state = coalesce(s.state, $4), reason = coalesce(s.reason, $6),
                detail = coalesce(s.detail, $8), provider_id = coalesce(s.provider_id, $10),
                settled_at = s.at, lease_until = NULL
            FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $5::text[], $7::text[],
                        $9::text[], $11::text[])
                AS s (id, attempt, at, state, reason, detail, provider_id)
            WHERE m.id = s.id AND m.attempt = s.attempt
              AND m.state IN ('sending', 'deferred', 'unknown')
        )
        INSERT INTO messages AS m (id, instance, customer, journey, step, visit, channel, class,
            topic, guarantee, state, attempt, attempts, lease_until, provider, at)
        SELECT a.id, a.instance, i.customer, i.journey, $16::text, $17::int, $18::text, $19::text,
               $20::text, $21::text, 'sending', a.attempt, 1, now() + $23, $22::text, a.at
        FROM (
            SELECT * FROM unnest($12::uuid[], $13::uuid[], $14::uuid[], $15::timestamptz[])
                AS b (id, instance, attempt, at)
            ORDER BY instance
        ) a CROSS JOIN LATERAL {LOCKED} i
        WHERE {MAY_SEND}
        {otherwise}
        RETURNING id
        """,  # noqa: S608
        [one.id for one in settles],
        [one.attempt for one in settles],
        [one.at for one in settles],
        state,
        state_each,
        reason,
        reason_each,
        detail,
        detail_each,
        provider,
        provider_each,
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
    try:
        await _close(connection, visits)
    except asyncpg.UniqueViolationError:
        await _close(connection, visits, "ON CONFLICT DO NOTHING")


async def _close(connection: Db, visits: Sequence[Visit], otherwise: str = "") -> None:
    last = {one.instance: number for number, one in enumerate(visits)}
    columns = (
        shared(values)
        for values in (
            [one.entered_at for one in visits],
            [one.visit for one in visits],
            [one.step for one in visits],
            [one.exit for one in visits],
            [one.position for one in visits],
            [one.outcome for one in visits],
            [last[one.instance] == number for number, one in enumerate(visits)],
        )
    )
    await connection.execute(
        f"""
        WITH given AS MATERIALIZED (
            SELECT coalesce(g.entered_at, $6) AS entered_at, g.instance,
                   coalesce(g.visit, $8) AS visit, coalesce(g.step, $10) AS step, g.at, g.left_at,
                   coalesce(g.exit, $12) AS exit, coalesce(g.position, $14) AS position,
                   coalesce(g.outcome, $16) AS outcome, coalesce(g.is_last, $18) AS is_last,
                   nullif($4::jsonb -> (number - 1)::int, 'null') AS result,
                   nullif($5::jsonb -> (number - 1)::int, 'null') AS why
            FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $7::timestamptz[],
                        $9::int[], $11::text[], $13::text[], $15::text[], $17::text[],
                        $19::boolean[])
                WITH ORDINALITY AS g (instance, at, left_at, entered_at, visit, step, exit,
                                      position, outcome, is_last, number)
        ), written AS (
            INSERT INTO trail (entered_at, instance, visit, step, at, left_at, exit, result, why)
            SELECT entered_at, instance, visit, step, at, left_at, exit, result, why FROM given g
            WHERE {KNOWN}
            {otherwise}
        )
        UPDATE instances i SET visit = s.visit, position = s.position, outcome = s.outcome,
            ended_at = CASE WHEN s.outcome IS NOT NULL THEN s.left_at END
        FROM given s
        WHERE s.is_last AND i.id = s.instance AND (coalesce(i.ended_at, 'infinity') = 'infinity'
            OR i.outcome = 'cancelled' AND s.outcome IS NOT NULL)
        """,  # noqa: S608
        [one.instance for one in visits],
        [one.at for one in visits],
        [one.left_at for one in visits],
        [one.result for one in visits],
        [one.why for one in visits],
        *(part for column in columns for part in column),
    )
