"""Makes events of what audiences gain and lose, where a journey listens to that."""

from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from journeys.audience_changes import Listened
from journeys.entry import JOINED, LEFT
from journeys.event import Event, event_id
from journeys.identity import ExternalId
from storage import events, external_ids
from storage.members import Change
from storage.pool import Db


async def announce(db: Db, changes: Sequence[Change], listened: frozenset[Listened]) -> bool:
    """Put what journeys listen to before the router, each change once; whether there was any."""
    heard = [one for one in changes if is_heard(one, listened)]
    if not heard:
        return False
    named = await external_ids.of_customers(db, list({one.customer for one in heard}))
    made = [event_of(one, named[one.customer]) for one in heard]
    await events.insert(db, [one for one in made if one.user_id or one.anonymous_id])
    return True


def is_heard(change: Change, listened: frozenset[Listened]) -> bool:
    """Whether some journey listens to this change."""
    return (
        Listened(None, change.joined) in listened
        or Listened(change.audience, change.joined) in listened
    )


def event_of(change: Change, ids: Sequence[ExternalId]) -> Event:
    """The change as an event of the customer; its message id is its own."""
    told = f"{change.audience}/{change.customer}/{change.joined}/{change.at.isoformat()}"
    message_id = f"audience:{uuid5(NAMESPACE_OID, told)}"
    named = {id.kind: id.value for id in reversed(ids)}
    user = named.get("user_id")
    return Event(
        id=event_id(message_id),
        received_at=change.at,
        occurred_at=change.at,
        kind="track",
        name=JOINED if change.joined else LEFT,
        message_id=message_id,
        user_id=user,
        anonymous_id=None if user else named.get("anonymous_id"),
        properties={"audience": change.audience},
        context={},
    )
