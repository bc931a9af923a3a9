"""Whom an import that replaces a list has named, so that the others can leave."""

from collections.abc import Sequence
from uuid import UUID

from journeys.identity import CustomerId
from storage.pool import Db


async def name(connection: Db, id: UUID, customers: Sequence[UUID]) -> None:
    """These customers are in the file of an import that replaces the list."""
    await connection.execute(
        """
        INSERT INTO import_members (import, customer)
        SELECT $1, customer FROM unnest($2::uuid[]) AS customer ON CONFLICT DO NOTHING
        """,
        id,
        list(customers),
    )


async def others(
    connection: Db, id: UUID, audience: str, after: UUID, limit: int
) -> tuple[list[CustomerId], UUID | None]:
    """Members whom the file does not name, a page by id, and where the next page begins.

    Left out are those into whom somebody was merged whom it does name.
    """
    rows = await connection.fetch(
        """
        WITH RECURSIVE page AS MATERIALIZED (
            SELECT m.customer FROM audience_members m
            WHERE m.audience = $2 AND m.customer > $3 AND NOT EXISTS (
                SELECT FROM import_members n WHERE n.import = $1 AND n.customer = m.customer
            )
            ORDER BY m.customer LIMIT $4
        ), merged AS (
            SELECT c.merged_into AS customer, c.id FROM customers c
            WHERE c.merged_into = ANY (ARRAY (SELECT customer FROM page))
            UNION SELECT m.customer, c.id FROM merged m JOIN customers c ON c.merged_into = m.id
        )
        SELECT customer, customer IN (
            SELECT m.customer FROM merged m
            JOIN import_members n ON n.import = $1 AND n.customer = m.id
        ) AS is_named
        FROM page ORDER BY customer
        """,
        id,
        audience,
        after,
        limit,
    )
    found = [row["customer"] for row in rows if not row["is_named"]]
    return found, rows[-1]["customer"] if len(rows) == limit else None
