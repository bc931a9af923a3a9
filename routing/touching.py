"""What is news about a customer, and the audiences to be judged again that look at it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from audiences.catalog import Catalog
from journeys.event import Event
from journeys.identity import CustomerId
from journeys.learning import attributes_of
from storage import audience_queue
from storage.audience_queue import Touched
from storage.pool import Db


def touched_by(
    catalog: Catalog, batch: Iterable[Event], owners: Mapping[UUID, CustomerId]
) -> list[Touched]:
    """The customers of these events, with the audiences that look at what they bring."""
    return [
        Touched(owners[event.id], names, event.id)
        for event in batch
        if event.id in owners and (names := catalog.touched_by(event.name, attributes_of(event)))
    ]


async def touch_attributes(
    db: Db, catalog: Catalog, customer: UUID, attributes: Iterable[str]
) -> None:
    """Queue a customer of whom attributes were set without an event."""
    if names := catalog.touched_by(None, attributes):
        await audience_queue.put(db, [Touched(customer, names)])
