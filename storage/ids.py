"""Ids that follow from others, of the driver's own class: made, compared and sent quicker."""

from hashlib import sha1
from uuid import UUID

from asyncpg.pgproto import pgproto


def derived(namespace: UUID, name: str) -> UUID:
    """The same as `uuid5`: the id that `name` has within `namespace` (RFC 9562)."""
    digest = sha1(namespace.bytes + name.encode(), usedforsecurity=False).digest()
    made: UUID = pgproto.UUID(
        digest[:6]
        + bytes((digest[6] & 0x0F | 0x50, digest[7], digest[8] & 0x3F | 0x80))
        + digest[9:16]
    )
    return made
