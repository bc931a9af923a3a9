"""Events that change what may be sent: subscriptions, hard bounces and complaints."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from journeys.event import Event
from journeys.identity import CustomerId
from journeys.steps.send import ADDRESSES
from routing.known import message_of
from routing.round import Round
from storage import consent, customers, messages

UNSUBSCRIBED, SUBSCRIBED = "Unsubscribed", "Subscribed"
BOUNCED, COMPLAINED = "Message Bounced", "Message Complained"
NAMES = frozenset({UNSUBSCRIBED, SUBSCRIBED, BOUNCED, COMPLAINED})
ATTRIBUTES: Mapping[str, str | None] = {str(key): one for key, one in ADDRESSES.items()}


async def heed(round: Round, batch: Sequence[Event], owners: Mapping[UUID, CustomerId]) -> None:
    """Write down what the events of `batch` say about consent; harmless when done twice."""
    for event in batch:
        if event.name in NAMES and event.id in owners:
            if event.name in (UNSUBSCRIBED, SUBSCRIBED):
                await _choose(round, event, owners[event.id])
            else:
                await _suppress(round, event, owners[event.id])


async def _choose(round: Round, event: Event, customer: CustomerId) -> None:
    """`channel` and `topic` of the event say what; without them it is everything."""
    channel = text(event.properties.get("channel"))
    topic = text(event.properties.get("topic"))
    if event.name == UNSUBSCRIBED:
        await consent.unsubscribe(round.pool, customer, channel, topic, event.occurred_at)
    else:
        await consent.subscribe(round.pool, customer, channel, topic)


async def _suppress(round: Round, event: Event, customer: CustomerId) -> None:
    """A complaint or a hard bounce: the address of that message's channel is not used again."""
    if event.name == BOUNCED and event.properties.get("type", "hard") != "hard":
        return
    id = message_of(event)
    message = await messages.get(round.pool, id) if id else None
    person = await customers.get(round.pool, customer)
    channel = message.channel if message else text(event.properties.get("channel"))
    address = person.attributes.get(ATTRIBUTES.get(channel) or "") if person else None
    if isinstance(address, str):
        await consent.suppress(
            round.pool, channel, address, round.secret, event.name, event.occurred_at
        )


def text(value: object) -> str:
    """A property as a word; whatever is no text stands for everything."""
    return value if isinstance(value, str) and value else consent.EVERYTHING
