"""Chance that is the same every time: a number made of the customer, the journey and a salt."""

from hashlib import sha256
from uuid import UUID

BITS = 53  # as many as a double holds exactly


def chance(customer: UUID, journey: str, salt: str) -> float:
    """A number in [0, 1), evenly spread over customers and independent between salts."""
    digest = sha256(customer.bytes + f"{journey}\n{salt}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> (64 - BITS)) / (1 << BITS)
