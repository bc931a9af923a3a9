"""Whom a run comes to next: a page of an audience's members, or of all customers, by id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from journeys.identity import CustomerId
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Reach:
    """Who is meant: an audience (None: everybody), narrowed by what is given.

    `zones` are those whose customers are meant; where `strays` is set, those too whose zone is
    none of `every_zone`. `path` leads to a date attribute whose text has one of `days` from its
    sixth character on (month and day) or from its first (a whole date).
    """

    audience: str | None
    only_new: bool = False
    zones: Sequence[str] | None = None
    strays: bool = False
    every_zone: Sequence[str] = ()
    path: Sequence[str] | None = None
    days: Sequence[str] = ()
    every_year: bool = False


# The last time that a member joined, by transaction, lies between the two marks of the run.
NEW = """
    EXISTS (
        SELECT FROM (
            SELECT coalesce(m.transaction, (
                SELECT h.transaction FROM audience_changes h
                WHERE h.audience = m.audience AND h.customer = m.customer AND h.joined
                ORDER BY h.transaction DESC LIMIT 1
            )) AS joined
        ) l, runs r
        WHERE r.id = $1 AND (r.new_since IS NULL OR l.joined >= r.new_since)
          AND (l.joined IS NULL OR l.joined < r.new_until)
    )
"""
# One by one in the order of their ids, whatever Postgres believes of their number: joined, all
# customers there are would be read for every page.
MEMBERS = """
    audience_members m CROSS JOIN LATERAL (
        SELECT * FROM customers n WHERE n.id = m.customer LIMIT 1
    ) c
"""


async def page(
    connection: Db, run: UUID, reach: Reach, after: UUID | None, limit: int
) -> dict[CustomerId, Mapping[str, Any]]:
    """The next customers by id, with attributes where a date among them decides.

    Merged and erased ones are nobody any more.
    """
    table = "customers c" if reach.audience is None else MEMBERS
    id = "c.id" if reach.audience is None else "m.customer"
    rows = await connection.fetch(
        f"""
        SELECT c.id, {"c.attributes" if reach.path else "NULL::jsonb AS attributes"} FROM {table}
        WHERE {id} > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
          AND {"$3::text IS NULL" if reach.audience is None else "m.audience = $3"}
          AND c.merged_into IS NULL AND c.erased_at IS NULL
          AND ($4::text[] IS NULL OR c.attributes ->> 'time_zone' = ANY ($4)
               OR $5 AND coalesce(c.attributes ->> 'time_zone', '') <> ALL ($6::text[]))
          AND ($7::text[] IS NULL
               OR substr(c.attributes #>> $7, CASE WHEN $8 THEN 6 ELSE 1 END,
                         CASE WHEN $8 THEN 5 ELSE 10 END) = ANY ($9::text[]))
          AND {NEW if reach.only_new else "$1::uuid IS NOT NULL"}
        ORDER BY {id} LIMIT $10
        """,  # noqa: S608
        run,
        after,
        reach.audience,
        reach.zones,
        reach.strays,
        reach.every_zone,
        reach.path,
        reach.every_year,
        reach.days,
        limit,
    )
    return {row["id"]: row["attributes"] or {} for row in rows}


async def present(connection: Db, customers: Iterable[CustomerId]) -> list[CustomerId]:
    """Those of these who were neither merged nor erased, by id; held until the end."""
    rows = await connection.fetch(
        """
        SELECT id FROM customers
        WHERE id = ANY ($1::uuid[]) AND merged_into IS NULL AND erased_at IS NULL
        ORDER BY id FOR UPDATE
        """,
        list(customers),
    )
    return [row["id"] for row in rows]
