"""Pages of broadcasts that nobody has begun, of journeys that do nothing but send.

One read for all of a page; its messages are fetched by their provider one after the other, written
as it gets free; and its visits are written at the end.
"""

from collections.abc import Sequence

from activities.mailing import Mailing, Means
from activities.parcels import Parcels
from activities.passages import Page
from journeys.effects import Inside
from journeys.plan import Plan
from journeys.steps.send import ADDRESSES
from journeys.templates import Renderer
from storage import broadcasts


class Mailings:
    """Sends fresh pages."""

    def __init__(self, means: Means, renderer: Renderer, secret: bytes) -> None:
        self._means = means
        self._renderer = renderer
        self._secret = secret

    async def send(self, plan: Plan, page: Page, insides: Sequence[Inside]) -> None:
        """Take these to their end, as far as they go now.

        Raises:
            Exception: whatever broke; nobody was begun any more after it.
        """
        means = self._means
        addresses: dict[str, str] = {
            channel: attribute
            for channel, attribute in ADDRESSES.items()
            if attribute is not None and channel in plan.channels
        }
        ids = [one.id for one in insides]
        found = await broadcasts.readers(means.pool, ids, addresses, self._secret)
        parcels = Parcels(plan, found, means.channels, self._renderer, means.attempts.sender)
        await Mailing(means, plan, page, insides, parcels).sent()
