"""Chance that is the same every time: a number made of the customer, the journey and a salt."""

from hashlib import sha256
from uuid import UUID

BITS = 53  # as many as a double holds exactly


def chance(customer: UUID, journey: str, salt: str) -> float:
    """A number in [0, 1), evenly spread over customers and independent between salts."""
    digest = sha256(customer.bytes + salt_of(journey, salt).encode()).digest()
    return (int.from_bytes(digest[:8]) >> (64 - BITS)) / (1 << BITS)


def salt_of(journey: str, salt: str) -> str:
    """What the customer's bytes are hashed with."""
    return f"{journey}\n{salt}"
