"""One message as the bytes of a mail, built by hand: this is done once per mail and must be cheap.

Text and HTML become `multipart/alternative`. A body travels as it is where the way allows it, and
as quoted-printable otherwise.
"""

import binascii
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from channels.base import Outgoing, PermanentFailure
from channels.mail_headers import LONGEST_LINE, from_header, further, unstructured


def build(message: Outgoing, now: datetime, eight_bit: bool) -> bytes:
    """The mail with CRLF line ends; `eight_bit` says that the server takes bytes above 127."""
    bodies = [
        (kind, body(message.parts[part], eight_bit))
        for part, kind in (("text", "plain"), ("html", "html"))
        if part in message.parts
    ]
    if not bodies:
        raise PermanentFailure("the message has neither text nor html")
    return "\r\n".join(heading(message, now)).encode() + (
        single(*bodies[0]) if len(bodies) == 1 else alternative(message, bodies)
    )


def heading(message: Outgoing, now: datetime) -> list[str]:
    """All header lines but those about the content."""
    sender, address = from_header(message.sender)
    domain = address.rpartition("@")[2]
    lines = [
        f"Date: {date(now.replace(microsecond=0))}",
        sender,
        f"To: {message.address}",
        unstructured("Subject", message.parts.get("subject", "").strip()),
        f"Message-ID: <{message.id}@{domain}>",
        f"X-Parcours-Message: {message.id}",
    ]
    lines.extend(further(name, value) for name, value in message.headers.items())
    lines.append("MIME-Version: 1.0\r\n")
    return lines


@lru_cache(maxsize=16)
def date(now: datetime) -> str:
    """The Date header's value, which is the same for every mail of a second."""
    return format_datetime(now)


def single(kind: str, encoded: tuple[str, bytes]) -> bytes:
    """Content headers and body of a mail with one part."""
    encoding, data = encoded
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode() + data


def alternative(message: Outgoing, bodies: list[tuple[str, tuple[str, bytes]]]) -> bytes:
    """Content headers and body of a mail with several renderings of the same."""
    boundary = f"=_{message.id.hex}"
    while any(boundary.encode() in data for _, (_, data) in bodies):
        boundary += "_"
    separator = f"--{boundary}\r\n".encode()
    return b"".join((
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode(),
        *(separator + single(kind, encoded) + b"\r\n" for kind, encoded in bodies),
        f"--{boundary}--\r\n".encode(),
    ))


def body(text: str, eight_bit: bool) -> tuple[str, bytes]:
    """Transfer encoding and bytes of a body, which always ends with a line break."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    data = text.replace("\n", "\r\n").encode("utf-8", "replace")
    if (text.isascii() or eight_bit) and b"\0" not in data and is_narrow(data):
        return ("7bit" if text.isascii() else "8bit"), data
    return "quoted-printable", binascii.b2a_qp(data, istext=True)


def is_narrow(data: bytes) -> bool:
    """Whether no line is longer than SMTP allows."""
    return len(data) <= LONGEST_LINE or max(map(len, data.split(b"\r\n"))) <= LONGEST_LINE
