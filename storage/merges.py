"""Two customers become one: everything of the first is the second's."""

from datetime import datetime
from uuid import UUID

from journeys.identity import CustomerId
from storage.joinings import ENDED
from storage.pool import Db


async def lock(connection: Db, loser: CustomerId, winner: CustomerId) -> None:
    """Hold both rows until the transaction ends."""
    await connection.execute(
        "SELECT FROM customers WHERE id IN ($1, $2) ORDER BY id FOR UPDATE", loser, winner
    )


async def end_younger_instances(
    connection: Db, loser: CustomerId, winner: CustomerId, now: datetime
) -> dict[UUID, str]:
    """Of two open instances of one journey and key the older stays; the others' workflow ids."""
    rows = await connection.fetch(
        """
        UPDATE instances i SET ended_at = $3, outcome = 'merged', wait_visit = NULL
        FROM instances o
        WHERE i.customer IN ($1, $2) AND o.customer IN ($1, $2) AND i.id <> o.id
          AND i.journey = o.journey AND coalesce(i.key, '') = coalesce(o.key, '')
          AND i.ended_at IS NULL AND o.ended_at IS NULL
          AND (i.entered_at, i.id) > (o.entered_at, o.id)
        RETURNING i.id, i.workflow_id
        """,
        loser,
        winner,
        now,
    )
    return {row["id"]: row["workflow_id"] for row in rows}


async def move(connection: Db, loser: CustomerId, winner: CustomerId) -> None:
    """Give `winner` all rows of `loser`; an attribute that both have keeps its later value."""
    await connection.execute(
        """
        WITH ids AS (UPDATE external_ids SET customer = $2 WHERE customer = $1),
        insides AS (UPDATE instances SET customer = $2 WHERE customer = $1),
        past AS (UPDATE events SET customer = $2 WHERE customer = $1),
        ledger AS (UPDATE messages SET customer = $2 WHERE customer = $1),
        refused AS (UPDATE refusals SET customer = $2 WHERE customer = $1),
        unwanted AS (
            INSERT INTO unsubscriptions (customer, channel, topic, at)
            SELECT $2, channel, topic, at FROM unsubscriptions WHERE customer = $1
            ON CONFLICT DO NOTHING
        ),
        gone AS (
            UPDATE customers SET merged_into = $2, attributes = '{}', attribute_times = '{}'
            WHERE id = $1
        )
        UPDATE customers w SET
            attributes = w.attributes || coalesce((
                SELECT jsonb_object_agg(a.key, a.value) FROM jsonb_each(l.attributes) a
                WHERE coalesce((w.attribute_times ->> a.key)::float8, '-infinity')
                    < coalesce((l.attribute_times ->> a.key)::float8, '-infinity')
            ), '{}'),
            attribute_times = w.attribute_times || coalesce((
                SELECT jsonb_object_agg(t.key, t.value) FROM jsonb_each(l.attribute_times) t
                WHERE coalesce((w.attribute_times ->> t.key)::float8, '-infinity')
                    < (t.value #>> '{}')::float8
            ), '{}')
        FROM customers l WHERE l.id = $1 AND w.id = $2
        """,
        loser,
        winner,
    )


async def move_memberships(
    connection: Db, loser: CustomerId, winner: CustomerId, now: datetime
) -> None:
    """`winner` is in every audience that one of the two was in, since the earlier of the times.

    The log says that `loser` left and that `winner` joined where it was not; subscribers are told
    that `winner` is in where it was as well, now under the ids of both.
    """
    await connection.execute(
        f"""
        WITH gone AS (
            DELETE FROM audience_members WHERE customer = $1 RETURNING *
        ), later AS (
            SELECT m.* FROM audience_members m JOIN gone g ON g.audience = m.audience
            WHERE m.customer = $2 AND g.joined_at < m.joined_at
        ), superseded AS (
            SELECT * FROM gone UNION ALL SELECT * FROM later
        ), {ENDED.format("superseded")}, kept AS (
            INSERT INTO audience_members AS m (audience, customer, joined_at, why)
            SELECT audience, $2::uuid, joined_at, why FROM gone ORDER BY audience
            ON CONFLICT (audience, customer) DO UPDATE SET
                joined_at = least(m.joined_at, excluded.joined_at),
                why = CASE WHEN excluded.joined_at < m.joined_at THEN excluded.why ELSE m.why END,
                transaction = CASE WHEN excluded.joined_at >= m.joined_at THEN m.transaction END,
                seq = CASE WHEN excluded.joined_at >= m.joined_at THEN m.seq END
            RETURNING audience, xmax = 0 AS is_new  -- an updated row has an xmax
        ), told AS (
            INSERT INTO audience_changes (at, audience, customer, joined, why)
            SELECT $3::timestamptz, audience, $1::uuid, false,
                   jsonb_build_object('merged_into', $2::uuid)
            FROM gone
            UNION ALL
            SELECT $3, audience, $2, true, jsonb_build_object('merged_from', $1::uuid)
            FROM kept WHERE is_new
        ), noticed AS (
            INSERT INTO audience_notices (at, audience, customer, joined)
            SELECT $3, m.audience, $2::uuid, true FROM audience_members m
            WHERE m.customer = $2 AND EXISTS (
                SELECT FROM subscriptions s WHERE s.stopped_at IS NULL
                  AND (cardinality(s.audiences) = 0 OR m.audience = ANY (s.audiences)))
        ), checks AS (
            DELETE FROM audience_checks WHERE customer = $1 RETURNING at
        ), checked AS (
            INSERT INTO audience_checks AS c (customer, at) SELECT $2, at FROM checks
            ON CONFLICT (customer) DO UPDATE SET at = least(c.at, excluded.at)
        )
        UPDATE audience_queue SET customer = $2 WHERE customer = $1
        """,  # noqa: S608
        loser,
        winner,
        now,
    )
