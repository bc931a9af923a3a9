"""Short-lived tokens by which a page follows one customer: they hold our opaque id and a time."""

import base64
import binascii
import hmac
import struct
from datetime import datetime
from uuid import UUID

PURPOSE = b"parcours stream token 1"  # another use of the secret must not make tokens
SHAPE = struct.Struct(">16sQ")
SIGNATURE = 32


def make(secret: bytes, customer: UUID, expires: datetime) -> str:
    """A token for this customer until then."""
    content = SHAPE.pack(customer.bytes, int(expires.timestamp()))
    return base64.urlsafe_b64encode(content + signature(secret, content)).decode().rstrip("=")


def read(secret: bytes, token: str, now: datetime) -> tuple[UUID, int] | None:
    """The customer of a good token, and the second it ends at; None for any other text."""
    try:
        given = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    content, signed = given[: SHAPE.size], given[SHAPE.size :]
    if len(signed) != SIGNATURE or not hmac.compare_digest(signed, signature(secret, content)):
        return None
    customer, expires = SHAPE.unpack(content)
    return (UUID(bytes=customer), expires) if now.timestamp() < expires else None


def signature(secret: bytes, content: bytes) -> bytes:
    """What only this installation can make."""
    return hmac.digest(hmac.digest(secret, PURPOSE, "sha256"), content, "sha256")
