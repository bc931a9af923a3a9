"""A made-up shop: customers who look, buy, leave carts behind, and stay away for a month.

The events have the shape of the Segment tracking specification and are the same for the same seed.
The demo posts them; simulations and benchmarks read them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

PRODUCTS = (
    ("22423", "Cake stand, three tiers", 12.75),
    ("85123A", "White heart T-light holder", 2.55),
    ("47566", "Party bunting", 4.95),
    ("84879", "Coloured bird ornament", 1.69),
    ("22720", "Set of three cake tins", 14.95),
    ("21754", "Home building block word", 5.95),
    ("22114", "Hot water bottle, tea and sympathy", 4.25),
    ("23084", "Rabbit night light", 2.08),
    ("22086", "Paper chain kit", 2.95),
    ("20725", "Lunch bag, red retrospot", 1.65),
)
NAMES = ("Ada", "Ben", "Chloe", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kim")
ZONES = ("Europe/London", "Europe/Berlin", "Europe/Paris", "America/New_York", "Asia/Kolkata")
LOCALES = ("en-GB", "de-DE", "fr-FR", "en-US", "en-IN")

GUESTS, GUESTS_WHO_SIGN_UP = 0.15, 0.5
CHECKS_OUT, BUYS, COMES_BACK, CANCELS = 0.5, 0.6, 0.3, 0.04
DRIFTS_AWAY, USUAL_PAUSE, LONG_PAUSE = 0.3, 7.0, 55.0  # days


@dataclass(slots=True)
class Shopper:
    """One customer of the shop, and what they do from when they first come."""

    number: int
    chance: Random
    is_guest: bool
    made: int = 0

    @property
    def who(self) -> dict[str, str]:
        """The id by which the shop knows them at this moment."""
        return {"anonymousId" if self.is_guest else "userId": self.id}

    @property
    def id(self) -> str:
        """A guest has only the browser's id."""
        return f"browser-{self.number}" if self.is_guest else f"shopper-{self.number}"

    def live(self, first: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """Everything they do between `first` and `end`, in no particular order."""
        if not self.is_guest:
            yield self.identify(first)
        at = first + timedelta(minutes=self.chance.uniform(1, 9))
        while at < end:
            yield from self.visit(at)
            if self.is_guest and self.chance.random() < GUESTS_WHO_SIGN_UP:
                at += timedelta(hours=self.chance.uniform(1, 20))
                yield self.sign_up(at)
            pause = LONG_PAUSE if self.chance.random() < DRIFTS_AWAY else USUAL_PAUSE
            at += timedelta(days=self.chance.expovariate(1 / pause), hours=1)

    def sign_up(self, at: datetime) -> dict[str, Any]:
        """A guest leaves a name: the browser's id now leads to the account."""
        browser, self.is_guest = self.id, False
        return {**self.identify(at), "anonymousId": browser}

    def identify(self, at: datetime) -> dict[str, Any]:
        """The account and what is known of its owner."""
        home = self.chance.randrange(len(ZONES))
        traits = {
            "email": f"{self.id}@customers.example",
            "first_name": self.chance.choice(NAMES),
            "phone": f"+4479460{self.number:05d}",
            "time_zone": ZONES[home],
            "locale": LOCALES[home],
        }
        return {"type": "identify", **self.who, "timestamp": at, "traits": traits}

    def visit(self, at: datetime) -> Iterator[dict[str, Any]]:
        """Looks at products; some go to the till, and some of those pay."""
        basket = self.chance.sample(PRODUCTS, self.chance.randint(1, 4))
        for sku, name, price in basket:
            at += timedelta(seconds=self.chance.uniform(10, 240))
            yield self.track(at, "Product Viewed", {"sku": sku, "name": name, "price": price})
        if self.chance.random() >= CHECKS_OUT:
            return
        cart = self.cart(basket)
        at += timedelta(seconds=self.chance.uniform(20, 400))
        yield self.track(at, "Checkout Started", {k: cart[k] for k in ("cart_id", "total")})
        if self.chance.random() < BUYS:
            yield from self.order(at + timedelta(minutes=self.chance.uniform(1, 20)), cart)
        elif self.chance.random() < COMES_BACK:
            yield from self.order(at + timedelta(hours=self.chance.uniform(2, 30)), cart)

    def cart(self, basket: list[tuple[str, str, float]]) -> dict[str, Any]:
        """What lies in the cart, and what it comes to."""
        self.made += 1
        lines: list[dict[str, Any]] = [
            {"sku": sku, "name": name, "price": price, "quantity": self.chance.randint(1, 6)}
            for sku, name, price in basket
        ]
        total = round(sum(line["price"] * line["quantity"] for line in lines), 2)
        return {"cart_id": f"cart-{self.number}-{self.made}", "total": total, "products": lines}

    def order(self, at: datetime, cart: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The order, and what becomes of it."""
        order = {"order_id": f"order-{self.number}-{self.made}", "currency": "GBP", **cart}
        yield self.track(at, "Order Completed", order)
        told = {"order_id": order["order_id"], "total": order["total"]}
        if self.chance.random() < CANCELS:
            at += timedelta(hours=self.chance.uniform(1, 20))
            yield self.track(at, "Order Cancelled", told)
            return
        at += timedelta(hours=self.chance.uniform(20, 70))
        parcel = {"carrier": "Parcel Post", "tracking": f"PP{self.number:05d}{self.made:03d}"}
        yield self.track(at, "Order Shipped", {**told, **parcel})

    def track(self, at: datetime, event: str, properties: dict[str, Any]) -> dict[str, Any]:
        """One thing they did."""
        return {
            "type": "track",
            **self.who,
            "timestamp": at,
            "event": event,
            "properties": properties,
        }


def make_shop(customers: int, days: int, seed: int, start: datetime) -> Iterator[dict[str, Any]]:
    """The tracking events of `customers` over `days` from `start`, in time order."""
    end, made = start + timedelta(days=days), []
    for number in range(1, customers + 1):
        chance = Random(f"{seed}/{number}")
        shopper = Shopper(number, chance, is_guest=chance.random() < GUESTS)
        first = start + timedelta(days=chance.random() ** 2 * days * 0.7)
        made += [event for event in shopper.live(first, end) if event["timestamp"] < end]
    made.sort(key=lambda event: event["timestamp"])
    for number, event in enumerate(made, 1):
        at = event["timestamp"].astimezone(UTC).isoformat(timespec="milliseconds")
        yield {**event, "messageId": f"shop-{seed}-{number}", "timestamp": at}
