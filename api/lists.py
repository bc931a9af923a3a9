"""Finds the audience that a request names, and refuses to put anybody on one that is no list."""

from typing import Annotated

from fastapi import Path

from api.errors import Problem
from storage import audiences
from storage.audiences import AudienceRow
from storage.pool import Db

Named = Annotated[
    str,
    Path(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="an audience", examples=["newsletter"]),
]
SHOWN = 20


async def known(db: Db, name: str, part: str | None = None) -> AudienceRow:
    """An audience, which has this part; 404 names those that there are."""
    row = await audiences.get(db, name)
    if row is None:
        there = [one.name for one in await audiences.listed(db)]
        raise missing(f"no audience is called {name!r}", "audiences", there)
    if part is not None and f"{name}/{part}" not in row.definition.names:
        parts = [one.partition("/")[2] for one in row.definition.names[1:]]
        raise missing(f"audience {name!r} has no part {part!r}", "parts", parts)
    return row


async def known_list(db: Db, name: str) -> AudienceRow:
    """A list; 404 names those that there are, 409 says who is in another kind of audience."""
    row = await audiences.get(db, name)
    if row is None:
        there = [one.name for one in await audiences.listed(db) if one.kind == "list"]
        raise missing(f"no list is called {name!r}", "lists", there)
    if row.kind != "list":
        raise Problem(
            409,
            "No list",
            f"audience {name!r} is a {row.kind}: its definition says who is in it, so nobody can "
            "be put there; publish an audience of kind `list`",
        )
    return row


def missing(said: str, noun: str, there: list[str]) -> Problem:
    """404, with what there is instead."""
    names = ", ".join(there[:SHOWN]) + (", …" if len(there) > SHOWN else "")
    else_there = f"; the {noun} are: {names}" if there else f", and there are no {noun} yet"
    return Problem(404, "Not found", said + else_there)
