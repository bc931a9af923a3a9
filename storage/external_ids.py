"""The external ids of many customers at once."""

from collections.abc import Sequence
from uuid import UUID

from journeys.identity import ExternalId
from storage.pool import Db


async def of_customers(connection: Db, customers: Sequence[UUID]) -> dict[UUID, list[ExternalId]]:
    """Every external id of each of these customers, user ids first."""
    found: dict[UUID, list[ExternalId]] = {id: [] for id in customers}
    rows = await connection.fetch(
        """
        SELECT kind, value, customer FROM external_ids
        WHERE customer = ANY ($1::uuid[]) ORDER BY kind DESC, value
        """,
        list(customers),
    )
    for row in rows:
        found[row["customer"]].append(ExternalId(row["kind"], row["value"]))
    return found
