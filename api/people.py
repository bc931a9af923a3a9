"""Finds the customer that a request names: by user id, else anonymous id, else our own id."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path

from api.errors import Problem
from storage import customers
from storage.customers import Customer
from storage.pool import Db

Named = Annotated[str, Path(description="a user id, anonymous id, or our id", examples=["user-17"])]
MISSING: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such customer."}}


async def person(db: Db, named: str) -> Customer | None:
    """The customer called `named`, merged ones included."""
    found = await customers.by_external_id(db, named)
    if found is not None:
        return found
    try:
        return await customers.get(db, UUID(named))
    except ValueError:
        return None


async def known(db: Db, named: str) -> Customer:
    """The same, or 404."""
    found = await person(db, named)
    if found is None:
        raise unknown(named)
    return found


def unknown(named: str) -> Problem:
    """There is no such customer."""
    return Problem(
        404,
        "Not found",
        f"no customer has the user id or anonymous id {named!r}; GET /v1/customers lists them",
    )
