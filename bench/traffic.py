"""Made-up shop events as ready HTTP requests: a request costs one replacement of bytes."""

import itertools
import os
import random

import orjson

SLOT = b"-batch-number-16"  # as long as the number that takes its place
CUSTOMERS = 50_000


def item(chance: random.Random, place: int) -> dict[str, object]:
    """A track of about 300 bytes, as a shop's server sends it."""
    product = chance.randrange(4_000)
    return {
        "type": "track",
        "event": chance.choice(["Product Viewed", "Product Added", "Order Completed"]),
        "userId": f"customer-{chance.randrange(CUSTOMERS)}",
        "messageId": f"{SLOT.decode()}-{place}",
        "timestamp": "2026-01-01T10:00:00.000Z",
        "properties": {
            "product_id": f"P{product:05}",
            "price": round(chance.uniform(1, 90), 2),
            "quantity": chance.randrange(1, 9),
            "currency": "GBP",
            "category": "home/kitchen",
        },
        "context": {"library": {"name": "bench", "version": "1.0.0"}},
    }


class Traffic:
    """An endless row of different batches of one size."""

    kinds = 16
    numbers = itertools.count()

    def __init__(self, key: str, size: int, seed: int = 1) -> None:
        chance = random.Random(seed)
        self.size = size
        self.bodies = [
            orjson.dumps({
                "batch": [item(chance, place) for place in range(size)],
                "sentAt": "2026-01-01T10:00:01.000Z",
                "writeKey": key,
            })
            for _ in range(self.kinds)
        ]
        self.head = (
            "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"X-Write-Key: {key}\r\nContent-Length: "
        ).encode()

    def body(self) -> bytes:
        """The next batch, with message ids never seen before."""
        number = next(self.numbers)
        name = f"{os.getpid() % 0xFFFFFF:06x}{number:010x}".encode()
        return self.bodies[number % self.kinds].replace(SLOT, name)

    def request(self) -> bytes:
        """The next batch as a whole HTTP/1.1 request."""
        body = self.body()
        return b"%s%d\r\n\r\n%s" % (self.head, len(body), body)
