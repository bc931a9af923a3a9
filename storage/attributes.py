"""Attributes of many customers at once: who has a value, and which values they have."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from audiences.imports.options import LOOKED_UP
from journeys.identity import CustomerId
from storage.pool import Db

# Attributes with a column of hashes and an index on it.
HASHES: dict[str, str] = {name: f"{name}_hash" for name in LOOKED_UP}


async def owners(connection: Db, name: str, values: Sequence[str]) -> dict[str, list[CustomerId]]:
    """The customers whose attribute has one of these values as its text.

    An address is looked up by its hash. For other attributes everybody is looked at, once for all
    values: an index on each would cost more with every write than a rare import saves.
    """
    hashes = f"c.{HASHES[name]} = hashtextextended(w.value, 0) AND" if name in HASHES else ""
    rows = await connection.fetch(
        f"""
        SELECT c.attributes ->> $1 AS value, array_agg(c.id) AS customers
        FROM customers c JOIN unnest($2::text[]) AS w (value)
            ON {hashes} c.attributes ->> $1 = w.value
        WHERE c.merged_into IS NULL AND c.erased_at IS NULL GROUP BY 1
        """,  # noqa: S608 -- a column of ours
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
