"""Members of audiences: who is in now, who joined and left when, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from journeys.identity import CustomerId
from storage.joinings import ENDED
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Change:
    """A customer who joins an audience (or a part of one: `pilot/a`), or leaves it."""

    audience: str
    customer: CustomerId
    joined: bool
    at: datetime
    why: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """An audience that a customer is in, since when and why."""

    audience: str
    customer: CustomerId
    joined_at: datetime
    why: Mapping[str, Any] | None


# Writes the changes given that change something; `told` are those.
CHANGE = f"""
    given AS (
        SELECT DISTINCT ON (audience, customer) * FROM unnest(
            $1::text[], $2::uuid[], $3::boolean[], $4::timestamptz[], $5::jsonb[]
        ) AS g (audience, customer, joined, at, why)
        ORDER BY audience, customer
    ), inside AS (
        INSERT INTO audience_members (audience, customer, joined_at, why)
        SELECT audience, customer, at, why FROM given WHERE joined
        ON CONFLICT DO NOTHING RETURNING audience, customer
    ), outside AS (
        DELETE FROM audience_members m USING given g
        WHERE NOT g.joined AND m.audience = g.audience AND m.customer = g.customer
        RETURNING m.*
    ), {ENDED.format("outside")}, told AS (
        INSERT INTO audience_changes (at, audience, customer, joined, why)
        SELECT g.at, g.audience, g.customer, g.joined, g.why FROM given g
        JOIN (
            SELECT * FROM inside UNION ALL SELECT audience, customer FROM outside
        ) c USING (audience, customer)
        ORDER BY g.audience, g.customer
        RETURNING audience, customer, joined
    )
"""  # noqa: S608


async def change(connection: Db, changes: Sequence[Change]) -> set[tuple[str, CustomerId]]:
    """Have customers join and leave; the (audience, customer) where that changed something."""
    rows = await connection.fetch(
        f"WITH {CHANGE} SELECT audience, customer FROM told",  # noqa: S608
        [one.audience for one in changes],
        [one.customer for one in changes],
        [one.joined for one in changes],
        [one.at for one in changes],
        [one.why for one in changes],
    )
    return {(row["audience"], CustomerId(row["customer"])) for row in rows}


async def join(
    connection: Db, audience: str, customers: Sequence[UUID], at: datetime, why: Mapping[str, Any]
) -> list[CustomerId]:
    """Have many customers join one audience for one reason; those who were not in it."""
    rows = await connection.fetch(
        """
        WITH inside AS (
            INSERT INTO audience_members (audience, customer, joined_at, why)
            SELECT $1, customer, $3, $4 FROM unnest($2::uuid[]) AS customer ORDER BY customer
            ON CONFLICT DO NOTHING RETURNING customer
        ), told AS (
            INSERT INTO audience_changes (at, audience, customer, joined, why)
            SELECT $3, $1, customer, true, $4 FROM inside ORDER BY customer
        )
        SELECT customer FROM inside
        """,
        audience,
        list(customers),
        at,
        why,
    )
    return [row["customer"] for row in rows]


async def leave(
    connection: Db, audience: str, customers: Sequence[UUID], at: datetime, why: Mapping[str, Any]
) -> list[CustomerId]:
    """Have many customers leave one audience for one reason; those who were in it."""
    rows = await connection.fetch(
        f"""
        WITH outside AS (
            DELETE FROM audience_members WHERE audience = $1 AND customer = ANY ($2::uuid[])
            RETURNING *
        ), {ENDED.format("outside")}, told AS (
            INSERT INTO audience_changes (at, audience, customer, joined, why)
            SELECT $3, $1, customer, false, $4 FROM outside ORDER BY customer
        )
        SELECT customer FROM outside
        """,  # noqa: S608
        audience,
        list(customers),
        at,
        why,
    )
    return [row["customer"] for row in rows]


async def of_customer(connection: Db, customer: UUID) -> list[Membership]:
    """The audiences that a customer is in, by name."""
    rows = await connection.fetch(
        """
        SELECT audience, customer, joined_at, why FROM audience_members
        WHERE customer = $1 ORDER BY audience
        """,
        customer,
    )
    return [Membership(**row) for row in rows]


async def inside(
    connection: Db, customers: Sequence[UUID], audiences: Sequence[str]
) -> dict[UUID, set[str]]:
    """Which of these audiences each of these customers is in."""
    found: dict[UUID, set[str]] = {customer: set() for customer in customers}
    rows = await connection.fetch(
        """
        SELECT c.id AS customer, m.audience FROM unnest($1::uuid[]) AS c (id) CROSS JOIN LATERAL (
            SELECT audience FROM audience_members WHERE customer = c.id OFFSET 0
        ) m WHERE m.audience = ANY ($2::text[])
        """,
        list(customers),
        list(audiences),
    )
    for row in rows:
        found[row["customer"]].add(row["audience"])
    return found


async def listed(
    connection: Db, audience: str, after: UUID | None = None, limit: int = 50
) -> list[Membership]:
    """Members of an audience by customer id, a page at a time."""
    rows = await connection.fetch(
        """
        SELECT audience, customer, joined_at, why FROM audience_members
        WHERE audience = $1 AND ($2::uuid IS NULL OR customer > $2)
        ORDER BY customer LIMIT $3
        """,
        audience,
        after,
        limit,
    )
    return [Membership(**row) for row in rows]


async def listed_at(
    connection: Db, audience: str, at: datetime, after: UUID | None = None, limit: int = 50
) -> list[CustomerId]:
    """Who was in an audience at an instant, by customer id: now, with what changed since undone."""
    rows = await connection.fetch(
        """
        WITH undone AS (
            SELECT DISTINCT ON (customer) customer, NOT joined AS was_in FROM audience_history
            WHERE audience = $1 AND at > $2 AND transaction IS NOT NULL
            ORDER BY customer, at, seq
        )
        SELECT customer FROM (
            SELECT customer FROM undone WHERE was_in
            UNION ALL
            SELECT m.customer FROM audience_members m
            WHERE m.audience = $1 AND NOT EXISTS (
                SELECT FROM undone u WHERE u.customer = m.customer)
        ) x
        WHERE $3::uuid IS NULL OR customer > $3 ORDER BY customer LIMIT $4
        """,
        audience,
        at,
        after,
        limit,
    )
    return [CustomerId(row["customer"]) for row in rows]


async def changes_of(connection: Db, customer: UUID, limit: int = 200) -> list[Change]:
    """What a customer joined and left, the latest first."""
    rows = await connection.fetch(
        """
        SELECT audience, customer, joined, at, why FROM audience_history
        WHERE customer = $1 AND transaction IS NOT NULL
        ORDER BY at DESC, seq DESC LIMIT $2
        """,
        customer,
        limit,
    )
    return [Change(**row) for row in rows]


async def size(connection: Db, audience: str) -> int:
    """How many are in an audience now."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM audience_members WHERE audience = $1", audience
        )
    )
