"""Finds the members of whole audiences by one statement each."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

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
    count = len(query.parameters)
    name, instant, reason, salts, depends, past = (f"${count + n}" for n in range(1, 7))
    inhabited = await _inhabited(connection, audience)
    # A merge may bring a member meanwhile, where there is one to be moved.
    overtaken = "ON CONFLICT DO NOTHING" if inhabited else ""
    rows = await connection.fetch(
        f"""
        WITH found AS MATERIALIZED ({query.text}),
        parts AS (
            SELECT * FROM jsonb_to_recordset({salts}) AS p (
                name text, salt text, low float8, high float8)
        ), now_in AS (
            SELECT {name}::text AS audience, id AS customer FROM found
            UNION ALL
            SELECT p.name, f.id FROM found f JOIN parts p
                ON {CHANCE.format(salt="p.salt")} >= p.low
               AND {CHANCE.format(salt="p.salt")} < p.high
        ), was_in AS (
            SELECT audience, customer FROM audience_members WHERE audience = ANY ({past}::text[])
        ), differing AS MATERIALIZED (
            SELECT coalesce(n.audience, w.audience) AS audience,
                   coalesce(n.customer, w.customer) AS customer, w.customer IS NULL AS joins
            FROM now_in n FULL JOIN was_in w
                ON w.audience = n.audience AND w.customer = n.customer
            WHERE n.customer IS NULL OR w.customer IS NULL
            ORDER BY customer, audience  -- neighbours in every index
        ), entered AS (
            INSERT INTO audience_members (audience, customer, joined_at, why)
            SELECT audience, customer, {instant}::timestamptz, {reason}::jsonb
            FROM differing WHERE joins {overtaken} RETURNING audience, customer
        ), gone AS (
            DELETE FROM audience_members m USING differing d
            WHERE NOT d.joins AND m.audience = d.audience AND m.customer = d.customer
            RETURNING m.audience, m.customer
        ), told AS (
            INSERT INTO audience_changes (at, audience, customer, joined, why)
            SELECT {instant}, audience, customer, joined, {reason} FROM (
                SELECT audience, customer, true AS joined FROM entered
                UNION ALL SELECT audience, customer, false FROM gone
            ) c RETURNING customer
        ), queued AS (
            INSERT INTO audience_queue (customer, audiences)
            SELECT DISTINCT customer, {depends}::text[] FROM told WHERE {depends} <> '{{}}'
        )
        SELECT count(*) AS many FROM told
        """,  # noqa: S608 -- the query is compiled, with parameters of its own
        *query.parameters,
        audience,
        at,
        dict(why),
        [one._asdict() for one in parts],
        sorted(dependents),
        inhabited,
    )
    return int(rows[0]["many"])


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


def ranked(
    found: Query,
    distinct_by: Sequence[str] | None,
    order_by: Query,
    *,
    ascending: bool,
    limit: int | None,
) -> Query:
    """The first of those found, by a value, and one only for each value of an attribute.

    The attribute is a path of keys. Who has no such value comes last, and shares it with nobody.
    `order_by` finds `id` and `value`; its parameters are numbered on from those of `found`.
    """
    parameters = [*found.parameters, *order_by.parameters]
    distinct, most = (f"${len(parameters) + n}" for n in range(1, 3))
    way = "ASC" if ascending else "DESC"
    text = f"""
        WITH inside AS ({found.text}), ordered AS (
            SELECT c.id, c.attributes #> {distinct}::text[] AS value,
                   row_number() OVER (ORDER BY o.value {way} NULLS LAST, c.id) AS place
            FROM inside i JOIN customers c ON c.id = i.id
            LEFT JOIN ({order_by.text}) o ON o.id = i.id
        ), single AS (
            SELECT id, place FROM (
                SELECT id, place, {distinct}::text[] IS NULL OR value IS NULL
                    OR row_number() OVER (PARTITION BY value ORDER BY place) = 1 AS is_first
                FROM ordered
            ) x WHERE is_first
        )
        SELECT id FROM single ORDER BY place LIMIT {most}::bigint
    """  # noqa: S608
    told_apart = None if distinct_by is None else list(distinct_by)
    return Query(text, [*parameters, told_apart, limit])


def by_attribute(path: Sequence[str] | None, first: int) -> Query:
    """Everybody with the attribute at that path of keys as it is in JSON; `first` is its number."""
    text = f"SELECT id, attributes #> ${first}::text[] AS value FROM customers"  # noqa: S608
    return Query(text, [None if path is None else list(path)])


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
