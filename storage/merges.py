"""Two customers become one: everything of the first is the second's."""

from datetime import datetime
from uuid import UUID

from journeys.identity import CustomerId
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
