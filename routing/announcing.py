"""Makes events of what audiences gain and lose, where a journey listens to that."""

from collections.abc import Sequence

from journeys.audience_changes import Listened, event_of, is_heard
from storage import events, external_ids
from storage.members import Change
from storage.pool import Db


async def announce(db: Db, changes: Sequence[Change], listened: frozenset[Listened]) -> bool:
    """Put what journeys listen to before the router, each change once; whether there was any."""
    heard = [one for one in changes if is_heard(one.audience, one.joined, listened)]
    if not heard:
        return False
    named = await external_ids.of_customers(db, list({one.customer for one in heard}))
    made = [
        event_of(one.audience, one.customer, one.joined, one.at, named[one.customer])
        for one in heard
    ]
    await events.insert(db, [one for one in made if one.user_id or one.anonymous_id])
    return True
