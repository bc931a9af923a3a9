"""Imports files into lists: all that a chunk does, and that it was done, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import cast
from uuid import UUID

from api.errors import Problem
from api.matching import Met, meet, patiently
from api.state import State
from audiences.imports.options import Options
from audiences.imports.rows import Row, Rows
from audiences.imports.values import Value
from journeys.identity import CustomerId, IdKind
from routing import lists
from routing.lists import Learned
from storage import audience_queue, customers, import_members, imports, members
from storage.customers import Newcomer, Written
from storage.imports import Chunk, Counts, ImportRow
from storage.members import Change
from storage.pool import Db

PAGE = 5_000  # members who leave in one transaction
NOBODY = UUID(int=0)


def import_id(audience: str, options: Options, before: UUID | None = None) -> UUID:
    """The same file with the same options is the same import; `before` is one that it follows."""
    named = f"{audience}\n{options.model_dump_json()}\n{before or ''}"
    return UUID(bytes=sha256(named.encode()).digest()[:16])


async def take(parts: State, row: ImportRow, number: int, digest: bytes, rows: Rows) -> Chunk:
    """Do what a chunk says, once; sent again it is answered again and changes nothing."""

    async def once(connection: Db) -> tuple[Chunk, bool] | None:
        # Whoever finds the members of a new audience waits for those who do not know of it.
        await audience_queue.judging(connection)
        if not await imports.claim(connection, row.id, number, digest):
            return None
        chunk, news = await _taken(parts, connection, row, Chunk(number, digest), rows)
        await imports.remember(connection, row.id, chunk)
        return chunk, news

    taken = await patiently(parts.pool, once)
    if taken is None:
        return await remembered(parts, row.id, number, digest)
    chunk, news = taken
    if news:
        parts.ingest.bell.ring()
    return chunk


async def remembered(parts: State, id: UUID, number: int, digest: bytes) -> Chunk:
    """A chunk that was taken before, or why this one cannot be."""
    done = await imports.chunk(parts.pool, id, number)
    if done is None:
        raise Problem(
            409,
            "Closed",
            f"chunk {number} comes too late: the import was completed, or its audience deleted",
        )
    if done.digest != digest:
        raise Problem(
            409,
            "Another chunk",
            f"chunk {number} was taken with other rows; cut the file as it was cut the first time",
        )
    return done


async def _taken(
    parts: State, connection: Db, row: ImportRow, chunk: Chunk, rows: Rows
) -> tuple[Chunk, bool]:
    """Match or make customers, write down what is said of them, have them join or leave."""
    options, now = row.options, parts.clock.now()
    met = await meet(connection, options, rows.good, parts.secret, now)
    good = [one for one in rows.good if one.id in met.customers]
    # Of two chunks that say the same thing of a customer the later in the file counts.
    at = (row.started_at + timedelta(microseconds=chunk.number)).timestamp()
    learned = await _learn(connection, options, met, said_by(good, met), at, now)
    everybody = list(set(met.customers.values()))
    if options.mode == "replace":
        await import_members.name(connection, row.id, everybody)
    joins = options.mode != "remove"
    change = members.join if joins else members.leave
    changed = await change(connection, row.audience, everybody, now, why_of(row))
    changes = changes_of(row, changed, joins, now)
    news = await lists.follow(connection, parts.round, changes, learned)
    flaws = sorted([*rows.flaws, *met.flaws], key=lambda flaw: flaw.line)
    counts = Counts(
        created=len(met.newcomers),
        matched=len(good) - len(met.newcomers),
        failed=len(flaws),
        joined=len(changed) if joins else 0,
        left=0 if joins else len(changed),
    )
    return replace(chunk, counts=counts, flaws=flaws), news


def why_of(row: ImportRow) -> dict[str, str]:
    """Why those of a file join, or leave: then it names them, or replaces a list without them."""
    name = {"file": row.name} if row.name is not None else {}
    return {"import": str(row.id), **name, "mode": row.options.mode}


def changes_of(
    row: ImportRow, moved: Sequence[CustomerId], joined: bool, now: datetime
) -> list[Change]:
    """Those who have joined or left."""
    why = why_of(row)
    return [Change(row.audience, customer, joined, now, why) for customer in moved]


def said_by(rows: Sequence[Row], met: Met) -> dict[CustomerId, dict[str, Value]]:
    """What the rows say of each customer; of two that say the same thing the later counts."""
    said: dict[CustomerId, dict[str, Value]] = {}
    for row in rows:
        said.setdefault(met.customers[row.id], {}).update(row.values)
    return said


async def _learn(
    connection: Db,
    options: Options,
    met: Met,
    said: Mapping[CustomerId, Mapping[str, Value]],
    at: float,
    now: datetime,
) -> Learned:
    """Make the newcomers, and write attributes that were true at an instant."""
    made = {met.customers[id]: id for id in met.newcomers}
    if made:
        newcomers = [Newcomer(customer, id, said[customer]) for customer, id in made.items()]
        await customers.enrol(connection, cast("IdKind", options.id), newcomers, at, now)
    written = [
        Written(customer, values, dict.fromkeys(values, at))
        for customer, values in said.items()
        if values and customer not in made
    ]
    if written:
        await customers.write(connection, written)
    names = set().union(*(one.values for one in written))
    return Learned(names, [one.customer for one in written], made)


async def complete(parts: State, row: ImportRow, chunks: int) -> None:
    """Take no more chunks; where the list is replaced, all whom the file does not name leave.

    They leave in pages, each a transaction: whoever was stopped half-way is asked again.
    """
    missing = sorted(set(range(chunks)) - set(row.done))
    if missing or len(row.done) > chunks:
        raise Problem(
            409,
            "Not complete",
            f"{len(row.done)} chunks were taken and {chunks} are said to be all; send the missing "
            "ones first",
            missing=missing[:1000],
        )
    if row.options.mode == "replace" and not row.counts.created + row.counts.matched:
        raise Problem(
            409,
            "Nobody left",
            "no row of the file could be taken: the list is left as it is, instead of empty",
        )
    if not await imports.close(parts.pool, row.id, chunks):
        raise Problem(409, "Closed", "the import was completed with another number of chunks")
    if row.options.mode == "replace" and row.completed_at is None:
        await _drop_others(parts, row)
    await imports.complete(parts.pool, row.id, parts.clock.now())


async def _drop_others(parts: State, row: ImportRow) -> None:
    after: UUID | None = NOBODY

    async def page(connection: Db) -> tuple[UUID | None, bool]:
        await audience_queue.judging(connection)
        gone, following = await import_members.others(
            connection, row.id, row.audience, after or NOBODY, PAGE
        )
        await customers.held(connection, gone)
        now = parts.clock.now()
        left = await members.leave(connection, row.audience, gone, now, why_of(row))
        await imports.drop(connection, row.id, len(left))
        changes = changes_of(row, left, False, now)
        return following, await lists.follow(connection, parts.round, changes)

    while after is not None:
        after, news = await patiently(parts.pool, page)
        if news:
            parts.ingest.bell.ring()
