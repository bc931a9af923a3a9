"""Finds the members of whole audiences by one statement each."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from storage.joinings import ENDED
from storage.pool import Db


class Query(NamedTuple):
    """A statement that gives the ids of customers in a column `id`, and its parameters."""

    text: str
    parameters: Sequence[object]


class Part(NamedTuple):
    """A part of an audience: those whose chance with `salt` is in [low, high)."""

    name: str
    salt: str
    low: float
    high: float


# A customer's own number in [0, 1), as `journeys.chance` makes it.
CHANCE = """
    ('x' || encode(substring(sha256(uuid_send(f.id) || convert_to({salt}, 'UTF8')) FOR 8), 'hex'))
        ::bit(64)::bit(53)::bigint::float8 / 9007199254740992
"""

# `changed` where nobody is in: all join, and as members they are written, once.
FILLED = """
    changed AS MATERIALIZED (
        SELECT audience, customer FROM now_in
        ORDER BY customer, audience  -- neighbours in every index
    )
"""
FILL = """
    INSERT INTO audience_members (audience, customer, joined_at, why, transaction, seq)
    SELECT audience, customer, {instant}::timestamptz, {reason}::jsonb,
           pg_current_xact_id(), nextval('audience_changes_seq_seq')
    FROM changed
"""
# `changed` where somebody is in; a merge may bring a member meanwhile.
COMPARED = """
    was_in AS (
        SELECT audience, customer FROM audience_members WHERE audience = ANY ({past}::text[])
    ), differing AS MATERIALIZED (
        SELECT coalesce(n.audience, w.audience) AS audience,
               coalesce(n.customer, w.customer) AS customer, w.customer IS NULL AS joins
        FROM now_in n FULL JOIN was_in w
            ON w.audience = n.audience AND w.customer = n.customer
        WHERE n.customer IS NULL OR w.customer IS NULL
        ORDER BY customer, audience
    ), entered AS (
        INSERT INTO audience_members (audience, customer, joined_at, why)
        SELECT audience, customer, {instant}::timestamptz, {reason}::jsonb
        FROM differing WHERE joins
        ON CONFLICT DO NOTHING RETURNING audience, customer
    ), gone AS (
        DELETE FROM audience_members m USING differing d
        WHERE NOT d.joins AND m.audience = d.audience AND m.customer = d.customer
        RETURNING m.*
    ), {ended}, changed AS (
        SELECT audience, customer, true AS joined FROM entered
        UNION ALL SELECT audience, customer, false FROM gone
    )
"""
COMPARE = """
    INSERT INTO audience_changes (at, audience, customer, joined, why)
    SELECT {instant}, audience, customer, joined, {reason} FROM changed
"""


async def make_room(connection: Db) -> None:
    """Let this transaction sort and hash in more memory than is usual.

    That is a sixteenth of the server's cache: its operator measured that by the machine.
    """
    await connection.execute(
        """
        SELECT set_config('work_mem', greatest(
            pg_size_bytes(current_setting('work_mem')),
            pg_size_bytes(current_setting('shared_buffers')) / 16) / 1024 || 'kB', true)
        """
    )


async def find(
    connection: Db,
    audience: str,
    query: Query,
    parts: Sequence[Part],
    at: datetime,
    why: Mapping[str, Any],
    dependents: Collection[str] = (),
) -> int:
    """Make the customers of `query` the members of an audience and its parts; how many changed.

    The audiences that depend on it judge those customers again.
    """
    inhabited = await _inhabited(connection, audience)
    first = len(query.parameters) + 1
    name, instant, reason, salts, depends, past = (f"${first + n}" for n in range(6))
    changed, write = (COMPARED, COMPARE) if inhabited else (FILLED, FILL)
    places = {"instant": instant, "reason": reason, "past": past, "ended": ENDED.format("gone")}
    done = await connection.execute(
        f"""
        WITH found AS ({query.text}),
        parts AS (
            SELECT * FROM jsonb_to_recordset({salts}) AS p (
                name text, salt text, low float8, high float8)
        ), now_in AS (
            SELECT {name}::text AS audience, id AS customer FROM found
            UNION ALL
            SELECT p.name, f.id FROM found f JOIN parts p
                ON {CHANCE.format(salt="p.salt")} >= p.low
               AND {CHANCE.format(salt="p.salt")} < p.high
        ), {changed.format(**places)},
        queued AS (
            INSERT INTO audience_queue (customer, audiences)
            SELECT DISTINCT customer, {depends}::text[] FROM changed WHERE {depends} <> '{{}}'
        )
        {write.format(**places)}
        """,  # noqa: S608 -- the query is compiled, with parameters of its own
        *query.parameters,
        audience,
        at,
        dict(why),
        [one._asdict() for one in parts],
        sorted(dependents),
        *([inhabited] if inhabited else []),
    )
    return int(done.removeprefix("INSERT 0 "))


async def _inhabited(connection: Db, audience: str) -> list[str]:
    """Those with members, of the audience and the parts that any version of it had."""
    rows = await connection.fetch(
        """
        SELECT name FROM (
            SELECT $1::text AS name
            UNION
            SELECT v.audience || '/' || part FROM audience_versions v
            CROSS JOIN LATERAL jsonb_object_keys(
                coalesce((v.definition #>> '{}')::jsonb -> 'parts', '{}')) AS part
            WHERE v.audience = $1
        ) n WHERE EXISTS (SELECT FROM audience_members m WHERE m.audience = n.name)
        """,
        audience,
    )
    return [row["name"] for row in rows]


async def queue_differing(connection: Db, audience: str, query: Query) -> int:
    """Have those judged again for whom members and `query` do not agree; how many they are."""
    name = f"${len(query.parameters) + 1}"
    rows = await connection.fetch(
        f"""
        WITH found AS MATERIALIZED ({query.text}),
        members AS (SELECT customer FROM audience_members WHERE audience = {name}),
        queued AS (
            INSERT INTO audience_queue (customer, audiences)
            SELECT coalesce(f.id, m.customer), ARRAY[{name}]
            FROM found f FULL JOIN members m ON m.customer = f.id
            WHERE f.id IS NULL OR m.customer IS NULL
            RETURNING 1
        )
        SELECT count(*) AS many FROM queued
        """,  # noqa: S608
        *query.parameters,
        audience,
    )
    return int(rows[0]["many"])


async def customers(connection: Db) -> int:
    """How many customers there are."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM customers WHERE merged_into IS NULL AND erased_at IS NULL"
        )
    )


async def count(connection: Db, query: Query) -> int:
    """How many customers a query finds."""
    text = f"SELECT count(*) FROM ({query.text}) found"  # noqa: S608
    return int(await connection.fetchval(text, *query.parameters))


async def plan(connection: Db, query: Query, *, measure: bool = False) -> list[str]:
    """How Postgres goes about a query, line by line; `measure` runs it for that."""
    how = "EXPLAIN (ANALYZE, BUFFERS)" if measure else "EXPLAIN"
    rows = await connection.fetch(f"{how} {query.text}", *query.parameters)
    return [row[0] for row in rows]
