"""Attributes of many customers at once: who has a value, and which values they have."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from journeys.identity import CustomerId
from storage.pool import Db


async def owners(connection: Db, name: str, values: Sequence[str]) -> dict[str, list[CustomerId]]:
    """The customers whose attribute has one of these values as its text; looks at everybody."""
    rows = await connection.fetch(
        """
        SELECT c.attributes ->> $1 AS value, array_agg(c.id) AS customers
        FROM customers c JOIN unnest($2::text[]) AS w (value) ON c.attributes ->> $1 = w.value
        WHERE c.merged_into IS NULL AND c.erased_at IS NULL GROUP BY 1
        """,
        name,
        values,
    )
    return {row["value"]: row["customers"] for row in rows}


async def of_customers(
    connection: Db, customers: Iterable[UUID], names: Sequence[str]
) -> dict[UUID, dict[str, Any]]:
    """Some attributes of many customers, those that each has."""
    rows = await connection.fetch(
        """
        SELECT c.id, (
            SELECT jsonb_object_agg(name, c.attributes -> name) FROM unnest($2::text[]) AS name
            WHERE c.attributes ? name
        ) AS attributes FROM customers c WHERE c.id = ANY ($1::uuid[])
        """,
        list(customers),
        names,
    )
    return {row["id"]: row["attributes"] or {} for row in rows}
