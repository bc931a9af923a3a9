"""What the demo shows while it runs: made-up time, the journeys in numbers, what just happened."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from cli.demo.readers import SHOP

LAST = 7


@dataclass(frozen=True, slots=True)
class Tally:
    """One journey in numbers."""

    journey: str
    entered: int
    inside: int
    goals: int
    messages: Mapping[str, int]  # by state

    @property
    def done(self) -> int:
        """How many instances are over."""
        return self.entered - self.inside


@dataclass(slots=True)
class Scene:
    """The state of the show; the screen draws it."""

    start: datetime
    end: datetime
    now: datetime
    posted: int = 0
    mails: int = 0
    tallies: Sequence[Tally] = ()
    happenings: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=LAST))
    names: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> int:
        """The day of the show, from 1 on."""
        return max(0, (min(self.now, self.end - timedelta(seconds=1)) - self.start).days) + 1

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.end - self.start).days

    @property
    def messages(self) -> Counter[str]:
        """Messages of all journeys by state."""
        total: Counter[str] = Counter()
        for tally in self.tallies:
            total.update(tally.messages)
        return total

    def on_event(self, event: dict[str, Any]) -> None:
        """An event was posted."""
        self.posted += 1
        traits = event.get("traits", {})
        if "first_name" in traits:
            self.names[event["userId"]] = traits["first_name"]
        if (said := sentence(event)) is not None:
            at = datetime.fromisoformat(event["timestamp"])
            self.happenings.append((at, f"{self._who(event.get('userId'))} {said}"))

    def on_mail(self, mail: EmailMessage, now: datetime) -> None:
        """A mail has arrived in the mailbox."""
        self.mails += 1
        who = self._who(str(mail["To"]).removesuffix(SHOP))
        self.happenings.append((now, f"{who} is sent “{mail['Subject']}”"))

    def _who(self, user: str | None) -> str:
        if user is None:
            return "A guest"
        return f"{self.names[user]} ({user})" if user in self.names else user


def sentence(event: dict[str, Any]) -> str | None:
    """What somebody did, without the somebody; None for what is too common to be told."""
    properties = event.get("properties", {})
    match event.get("event", event["type"]):
        case "identify":
            return "signs up"
        case "Checkout Started":
            return f"goes to the till with £{properties['total']:.2f}"
        case "Order Completed":
            return f"orders for £{properties['total']:.2f}"
        case "Order Shipped":
            return f"has a parcel on its way, {properties['order_id']}"
        case "Order Cancelled":
            return f"cancels {properties['order_id']}"
        case "Message Clicked":
            return "clicks on a link in a mail"
        case "Unsubscribed":
            return "has heard enough and unsubscribes"
        case _:
            return None
