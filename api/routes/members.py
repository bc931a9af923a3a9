"""Members of audiences: list them, now or as it was, and put together a list by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field, JsonValue, model_validator

from api.auth import offered
from api.lists import Named, known, known_list
from api.matching import hold, patiently
from api.routes.customers import IdView
from api.state import Parts
from journeys.identity import CustomerId
from journeys.model import Model
from routing import lists
from storage import attributes, audience_queue, external_ids, keys, members
from storage.members import Change
from storage.pool import Db

router = APIRouter(tags=["lists"])

PAGE = 10_000
BY_HAND = 1_000
ATTRIBUTES = 50
NAMED: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such audience."}}

NO_NUL = r"^[^\x00]+$"

CustomerName = Annotated[str, Field(max_length=256, pattern=NO_NUL)]
AttributeName = Annotated[str, Query(max_length=200, pattern=NO_NUL)]


class MemberView(Model):
    """A customer in an audience; of the past only who was in is known."""

    customer: UUID
    ids: tuple[IdView, ...]
    joined_at: datetime | None
    why: Mapping[str, JsonValue] | None
    attributes: Mapping[str, JsonValue]


class MemberPage(Model):
    """A page of members; `next` is the `after` of the following one."""

    items: tuple[MemberView, ...]
    next: UUID | None


class ChangeRequest(Model):
    """Who joins a list and who leaves it, by user id, else anonymous id, else our id."""

    add: tuple[CustomerName, ...] = Field((), examples=[["user-17"]])
    remove: tuple[CustomerName, ...] = ()

    @model_validator(mode="after")
    def is_a_handful(self) -> "ChangeRequest":
        """Whoever joins and leaves at once would be left to chance."""
        if len(self.add) + len(self.remove) > BY_HAND:
            raise ValueError(f"{BY_HAND} ids are allowed; import more as a file")
        if both := sorted(set(self.add) & set(self.remove)):
            raise ValueError(f"{both[0]!r} cannot join and leave at once")
        return self


class Changed(Model):
    """How many joined and left who were not in or were; `unknown` lead to no customer."""

    joined: int
    left: int
    unknown: tuple[str, ...]


@router.get(
    "/v1/audiences/{audience}/members",
    summary="List members",
    response_model=MemberPage,
    responses=NAMED,
)
async def listed(
    audience: Named,
    parts: Parts,
    part: Annotated[str | None, Query(description="of a split audience", examples=["a"])] = None,
    at: Annotated[AwareDatetime | None, Query(description="who was in at this instant")] = None,
    attribute: Annotated[list[AttributeName] | None, Query(max_length=ATTRIBUTES)] = None,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
) -> Response:
    """Members by our id, a page at a time, with external ids and the attributes that are asked for.

    With `at`, those who were in at that instant; their ids and attributes are the present ones.
    """
    row = await known(parts.pool, audience, part)
    name = row.name if part is None else f"{row.name}/{part}"
    since: dict[CustomerId, tuple[datetime | None, Mapping[str, Any] | None]]
    if at is None:
        rows = await members.listed(parts.pool, name, after, limit)
        since = {one.customer: (one.joined_at, one.why) for one in rows}
    else:
        then = await members.listed_at(parts.pool, name, at, after, limit)
        since = dict.fromkeys(then, (None, None))
    found = list(since)
    ids = await external_ids.of_customers(parts.pool, found)
    values = await attributes.of_customers(parts.pool, found, attribute) if attribute else {}
    items = [
        {
            "customer": str(customer),
            "ids": ids[customer],
            "joined_at": joined_at,
            "why": why,
            "attributes": values.get(customer, {}),
        }
        for customer, (joined_at, why) in since.items()
    ]
    following = str(found[-1]) if len(found) == limit else None
    # Thousands of members a page: the models above describe them, and nobody checks each again.
    return Response(
        orjson.dumps({"items": items, "next": following}), media_type="application/json"
    )


@router.post(
    "/v1/audiences/{audience}/members", summary="Put together a list by hand", responses=NAMED
)
async def change(audience: Named, wanted: ChangeRequest, parts: Parts, request: Request) -> Changed:
    """Have customers join and leave a list; ids that lead to nobody are named in the answer."""
    row = await known_list(parts.pool, audience)
    now, key = parts.clock.now(), await keys.name_of(parts.pool, offered(request) or "")
    why = {"by": "hand", "key": key} if key is not None else {"by": "hand"}

    async def once(connection: Db) -> tuple[Changed, bool]:
        await audience_queue.judging(connection)
        found = await external_ids.named(connection, [*wanted.add, *wanted.remove])
        await hold(connection, found.values())

        def those(names: tuple[str, ...]) -> list[CustomerId]:
            return list({found[name] for name in names if name in found})

        joined = await members.join(connection, row.name, those(wanted.add), now, why)
        left = await members.leave(connection, row.name, those(wanted.remove), now, why)
        changes = [
            *(Change(row.name, customer, joined=True, at=now, why=why) for customer in joined),
            *(Change(row.name, customer, joined=False, at=now, why=why) for customer in left),
        ]
        news = await lists.follow(connection, parts.round, changes)
        unknown = [name for name in (*wanted.add, *wanted.remove) if name not in found]
        return Changed(joined=len(joined), left=len(left), unknown=tuple(unknown)), news

    changed, news = await patiently(parts.pool, once)
    if news:
        parts.ingest.bell.ring()
    return changed
