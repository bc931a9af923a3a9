"""What follows when somebody is put on a list: others are judged anew, and journeys hear of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from audiences.catalog import Catalog
from journeys.identity import CustomerId
from routing.announcing import announce
from routing.qualifying import ask_dependents
from routing.round import Round
from storage import audience_queue, journeys
from storage.audience_queue import Touched
from storage.members import Change
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Learned:
    """What else a file has brought: attributes of customers, and newcomers."""

    attributes: Collection[str] = ()
    known: Collection[CustomerId] = ()
    newcomers: Collection[CustomerId] = ()


async def follow(
    db: Db, round: Round, changes: Sequence[Change], learned: Learned | None = None
) -> bool:
    """Queue whoever has to be judged anew, and tell journeys; whether to ring after the commit."""
    catalog = await round.catalogs.refresh(db)
    if learned is not None:
        await _judge(db, catalog, learned)
    if catalog.dependents({one.audience for one in changes}):
        await ask_dependents(db, catalog, changes)
    await round.registry.refresh(db, await journeys.changed(db))
    return bool(round.registry.listened) and await announce(db, changes, round.registry.listened)


async def _judge(db: Db, catalog: Catalog, learned: Learned) -> None:
    """Newcomers are judged by every audience: it may hold for who is not known at all."""
    names = catalog.touched_by(None, learned.attributes)
    touched = [Touched(customer, names) for customer in learned.known if names]
    if catalog.conditions:
        touched += [Touched(customer, catalog.conditions.keys()) for customer in learned.newcomers]
    if touched:
        await audience_queue.put(db, touched)
