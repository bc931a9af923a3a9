"""Runs conditions that were compiled to SQL."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from expressions.sql import compile
from storage.pool import Db


async def holders(
    connection: Db, condition: str, now: datetime, among: Collection[UUID] | None = None
) -> set[UUID]:
    """The customers for whom it is known to hold, all or among those given."""
    statement = compile(condition, among=among is not None)
    rows = await connection.fetch(statement.text, *statement.arguments(now, among or ()))
    return {row[0] for row in rows}


async def count(connection: Db, condition: str, now: datetime) -> int:
    """For how many customers it holds."""
    statement = compile(condition, counts=True)
    found: int = await connection.fetchval(statement.text, *statement.arguments(now))
    return found
