"""Whose events these are: resolves customers and learns what the events say about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from journeys.event import Event, shard_of
from journeys.identity import CustomerId, Directory, ExternalId, ids_of, resolve
from journeys.learning import attributes_of
from storage import audience_queue, customers, external_ids, merges
from storage.customers import Written
from storage.pool import Db, Pool


@dataclass(slots=True)
class Resolved:
    """The customer of each event that has one, and by instance the workflows that a merge ended."""

    customers: dict[UUID, CustomerId] = field(default_factory=dict)
    ended: dict[UUID, str] = field(default_factory=dict)


async def identify(pool: Pool, batch: Sequence[Event], secret: bytes, now: datetime) -> Resolved:
    """Resolve the customers of `batch`, whose events share no id, and commit what they say of them.

    An event of somebody who was erased since it occurred has no customer and does nothing. Where
    all customers are known and nothing is learned, nobody has to be kept out.
    """
    ids = list(dict.fromkeys(id for event in batch for id in ids_of(event)))
    directory, erased = await external_ids.directory(pool, ids, secret)
    resolved = resolve_all(batch, directory, erased)
    if not directory.is_changed and not any(attributes_of(event) for event in batch):
        return resolved
    async with pool.acquire() as connection, connection.transaction():
        await external_ids.lock(connection, {shard_of(id.value) for id in ids})
        directory, erased = await external_ids.directory(connection, ids, secret)
        resolved = resolve_all(batch, directory, erased)
        await _apply(connection, directory, resolved, now)
        await _learn(connection, batch, resolved.customers)
    return resolved


def resolve_all(
    batch: Sequence[Event], directory: Directory, erased: Mapping[ExternalId, datetime]
) -> Resolved:
    """The customer of each event that is not about somebody who is gone."""
    resolved = Resolved()
    for event in batch:
        ids = ids_of(event)
        gone = max((erased[id] for id in ids if id in erased), default=None)
        if ids and (gone is None or event.occurred_at > gone):
            resolved.customers[event.id] = resolve(event, directory, lambda: CustomerId(uuid4()))
    return resolved


async def _apply(connection: Db, directory: Directory, resolved: Resolved, now: datetime) -> None:
    if directory.created:
        await customers.create(connection, directory.created, now)
        await audience_queue.put_for_all(connection, directory.created)
    if directory.links:
        await external_ids.link(connection, directory.links, now)
    final: dict[CustomerId, CustomerId] = {}
    for loser, winner in directory.merges:
        await merges.lock(connection, loser, winner)
        resolved.ended |= await merges.end_younger_instances(connection, loser, winner, now)
        await merges.move(connection, loser, winner)
        await merges.move_memberships(connection, loser, winner, now)
        await audience_queue.put_for_all(connection, [winner])
        final[loser] = winner
    for event, customer in resolved.customers.items():
        while customer in final:
            customer = final[customer]
        resolved.customers[event] = customer


async def _learn(
    connection: Db,
    batch: Iterable[Event],
    owners: Mapping[UUID, CustomerId],
) -> None:
    """Write down the attributes that the events bring, each by the event's own time."""
    known: dict[CustomerId, Written] = {}
    for event in batch:
        attributes = attributes_of(event)
        customer = owners.get(event.id)
        if customer is None or not attributes:
            continue
        at = event.occurred_at.timestamp()
        before = known.get(customer) or Written(customer, {}, {})
        values: dict[str, Any] = dict(before.values)
        times: dict[str, float] = dict(before.times)
        for name, one in attributes.items():
            if times.get(name, at) <= at:
                values[name], times[name] = one, at
        known[customer] = Written(customer, values, times)
    if known:
        await customers.write(connection, list(known.values()))
