"""Whom the rows of an imported file are about: customers who are there, newcomers, nobody.

Locks are taken in one order by everybody: first those on new ids, by shard, as the router takes
them; then the rows of all customers, by id. So imports that run at the same time wait for one
another, and never each for the other.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar, cast
from uuid import UUID, uuid4

import asyncpg

from api.errors import Problem
from audiences.imports.flaws import Flaw, FlawKind
from audiences.imports.options import ID_KINDS, Options
from audiences.imports.rows import Row
from journeys.event import shard_of
from journeys.identity import CustomerId, IdKind
from storage import attributes, customers, external_ids
from storage.pool import Db, Pool

TRIES = 8
FIRST_PAUSE = 0.02  # seconds
T = TypeVar("T")


class Moved(Exception):
    """A customer was merged or erased between two looks: look again from the start."""


async def patiently(pool: Pool, work: Callable[[Db], Awaitable[T]]) -> T:
    """Do `work` in one transaction, and again from the start while customers are moved under it."""
    for turn in range(TRIES):
        try:
            async with pool.acquire() as connection, connection.transaction():
                return await work(connection)
        except (Moved, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(FIRST_PAUSE * 2**turn * random.uniform(0.5, 1))
    raise Problem(
        503, "Busy", "these customers are being merged or erased; try again", {"Retry-After": "5"}
    )


@dataclass(slots=True)
class Met:
    """The customers of rows by the rows' ids; those of `newcomers` are yet to be made."""

    customers: dict[str, CustomerId]
    newcomers: set[str] = field(default_factory=set)
    flaws: list[Flaw] = field(default_factory=list)


async def meet(
    connection: Db, options: Options, rows: Sequence[Row], secret: bytes, now: datetime
) -> Met:
    """Find everybody, and hold them until the transaction ends; raises Moved."""
    ids = list(dict.fromkeys(row.id for row in rows))
    if options.id in ID_KINDS:
        kind = cast("IdKind", options.id)
        found, erased, fresh = await _by_id(connection, kind, ids, options.create, secret)
        lost: dict[str, FlawKind] = dict.fromkeys(erased, "erased")
    else:
        found, several = await _by_attribute(connection, options.id, ids)
        lost, fresh = dict.fromkeys(several, "ambiguous"), set()
    await hold(connection, found.values())
    met = Met(found | {id: newcomer(now) for id in fresh}, fresh)
    header = next((name for name, to in options.map.items() if to == options.id), options.id)
    met.flaws = [
        Flaw(row.line, header, lost.get(row.id, "unknown"))
        for row in rows
        if row.id not in met.customers
    ]
    return met


def newcomer(now: datetime) -> CustomerId:
    """An id for somebody new, of UUID's version 7 (RFC 9562).

    It begins with the time: of a million who are made together the rows lie together in every
    index, where random ids would write to every page of it.
    """
    millis = int(now.timestamp() * 1000)
    return CustomerId(UUID(int=millis << 80 | 7 << 76 | uuid4().int & (1 << 76) - 1))


async def hold(connection: Db, found: Iterable[CustomerId]) -> None:
    """Let nobody merge, erase or change these until the transaction ends; raises Moved."""
    wanted = set(found)
    if wanted != await customers.held(connection, wanted):
        raise Moved


async def _by_id(
    connection: Db, kind: IdKind, ids: Sequence[str], create: bool, secret: bytes
) -> tuple[dict[str, CustomerId], set[str], set[str]]:
    """The owners of ids, which were erased, and which may be given to newcomers."""
    found, erased = await external_ids.owners(connection, kind, ids, secret)
    fresh = set(ids) - found.keys() - erased if create else set()
    if not fresh:
        return found, erased, fresh
    await external_ids.lock(connection, {shard_of(id) for id in fresh})
    found, erased = await external_ids.owners(connection, kind, ids, secret)
    if not set(ids) - found.keys() - erased <= fresh:
        raise Moved
    return found, erased, fresh - found.keys() - erased


async def _by_attribute(
    connection: Db, name: str, values: Sequence[str]
) -> tuple[dict[str, CustomerId], set[str]]:
    """The one customer with each value, and the values that several have."""
    found = await attributes.owners(connection, name, values)
    several = {value for value, those in found.items() if len(those) > 1}
    return {value: those[0] for value, those in found.items() if value not in several}, several
