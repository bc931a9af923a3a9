"""Imports into lists: begin one, send its chunks, complete it, and see how far it is."""

import asyncio
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from starlette.requests import ClientDisconnect

from api import importing
from api.errors import Problem
from api.import_views import ChunkView, ErrorPage, ImportView, chunk_view, error_views, view
from api.lists import Named, known_list
from api.state import Parts, State
from api.tracking import body
from api.tracking.errors import Refusal
from audiences.imports.options import NAME_LENGTH, BadHeader, Options
from audiences.imports.rows import Rows, read_csv, read_ndjson
from journeys.model import Model
from storage import imports
from storage.imports import ImportRow

router = APIRouter(tags=["lists"])

FileName = Annotated[str, Field(max_length=NAME_LENGTH, pattern=r"^[^\x00]+$")]
CHUNKS = 1_000_000
ROWS = 20_000  # of one chunk: it is one transaction, and holds its customers
CSV = ("text/csv", "text/plain")
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
STATES: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such list, or no such import."},
    409: {"description": "The audience is no list, or the import does not stand where it should."},
}
BODY = {
    "requestBody": {
        "required": True,
        "description": "rows: CSV with its header, or one JSON object a line; may be gzipped",
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "user_id,tier\nada,gold\n"},
            NDJSON[0]: {"schema": {"type": "string"}, "example": '{"user_id": "ada"}\n'},
        },
    }
}


class StartRequest(Options):
    """A file and how to import it; `again` begins anew where the same was completed before.

    `name` is what people call the file: whoever joins or leaves by it is told so, as the reason.
    """

    name: FileName | None = Field(None, examples=["people.csv"])
    again: bool = False


class CompleteRequest(Model):
    """How many chunks there are, so that none is left out."""

    chunks: int = Field(ge=0, le=CHUNKS)


@router.post("/v1/audiences/{audience}/imports", status_code=201, responses=STATES)
async def start(
    audience: Named, request: StartRequest, response: Response, parts: Parts
) -> ImportView:
    """Begin to import a file into a list: 201, or 200 and how far the same import came before."""
    await known_list(parts.pool, audience)
    options = Options(**{name: getattr(request, name) for name in Options.model_fields})
    id = importing.import_id(audience, options)
    while found := await imports.get(parts.pool, audience, id):
        following = importing.import_id(audience, options, id)
        if await imports.get(parts.pool, audience, following) is None and not (
            request.again and found.completed_at
        ):
            response.status_code = 200
            return view(found)
        id = following
    await imports.start(parts.pool, id, audience, options, parts.clock.now(), request.name)
    return view(await known(parts, audience, id))


@router.get("/v1/audiences/{audience}/imports/{id}", responses=STATES)
async def get(audience: Named, id: UUID, parts: Parts) -> ImportView:
    """How far an import is."""
    return view(await known(parts, audience, id))


@router.put(
    "/v1/audiences/{audience}/imports/{id}/chunks/{number}", responses=STATES, openapi_extra=BODY
)
async def put_chunk(
    audience: Named,
    id: UUID,
    number: Annotated[int, Path(ge=0, lt=CHUNKS)],
    request: Request,
    parts: Parts,
    line: Annotated[int | None, Query(ge=1, description="of the file, the first row's")] = None,
) -> ChunkView:
    """Take a chunk of rows, once: sent again it is answered again. It is one transaction."""
    row = await known(parts, audience, id)
    try:
        raw = await body.read(request)
    except Refusal as refusal:
        raise Problem(refusal.status, "Chunk refused", refusal.message) from refusal
    except ClientDisconnect as error:
        raise Problem(400, "Chunk cut short", "the client went away") from error
    rows = await asyncio.to_thread(read, raw, request.headers.get("content-type"), row, line)
    if len(rows.good) + len(rows.flaws) > ROWS:
        raise Problem(
            413, "Too many rows", f"a chunk may have {ROWS:,} rows; send them in several chunks"
        )
    return chunk_view(await importing.take(parts, row, number, sha256(raw).digest(), rows))


@router.get("/v1/audiences/{audience}/imports/{id}/errors", responses=STATES)
async def errors(
    audience: Named,
    id: UUID,
    parts: Parts,
    after: Annotated[int, Query(ge=-1, description="`next` of the page before")] = -1,
    limit: Annotated[int, Query(ge=1, le=20, description="chunks")] = 4,
) -> ErrorPage:
    """The rows that were not taken, in the order of the file."""
    await known(parts, audience, id)
    chunks = await imports.flawed(parts.pool, id, after, limit)
    return ErrorPage(
        items=tuple(error for chunk in chunks for error in error_views(chunk.flaws)),
        next=chunks[-1].number if len(chunks) == limit else None,
    )


@router.post("/v1/audiences/{audience}/imports/{id}/complete", responses=STATES)
async def complete(audience: Named, id: UUID, request: CompleteRequest, parts: Parts) -> ImportView:
    """All chunks were sent: take no more, and where the list is replaced, have the others leave."""
    await importing.complete(parts, await known(parts, audience, id), request.chunks)
    return view(await known(parts, audience, id))


async def known(parts: State, audience: str, id: UUID) -> ImportRow:
    """An import of a list, or 404."""
    await known_list(parts.pool, audience)
    row = await imports.get(parts.pool, audience, id)
    if row is None:
        raise Problem(
            404,
            "Not found",
            f"list {audience!r} has no import {id}; "
            f"POST /v1/audiences/{audience}/imports begins one",
        )
    return row


def read(raw: bytes, media: str | None, row: ImportRow, line: int | None) -> Rows:
    """The rows of a chunk, by its media type."""
    kind = (media or CSV[0]).partition(";")[0].strip().lower()
    try:
        if kind in NDJSON:
            return read_ndjson(raw, row.options, line or 1)
        if kind in CSV:
            return read_csv(raw, row.options, line or 2)
    except BadHeader as error:
        raise Problem(400, "Bad header", str(error)) from error
    raise Problem(415, "Unknown media type", f"send {CSV[0]} or {NDJSON[0]}, not {kind!r}")
