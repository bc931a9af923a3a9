"""One message as the bytes of a mail, built by hand: this is done once per mail and must be cheap.

Text and HTML become `multipart/alternative`. A body travels as it is where the way allows it, and
as quoted-printable otherwise.
"""

import binascii
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from channels.base import Outgoing, PermanentFailure
from channels.mail_headers import LONGEST_LINE, from_header, further, unstructured

KINDS = (("text", "plain"), ("html", "html"))


def build(message: Outgoing, now: datetime, eight_bit: bool) -> bytes:
    """The mail with CRLF line ends; `eight_bit` says that the server takes bytes above 127."""
    bodies = [
        single(kind, *body(message.parts[part], eight_bit))
        for part, kind in KINDS
        if part in message.parts
    ]
    if not bodies:
        raise PermanentFailure("the message has neither text nor html")
    id = str(message.id)
    return heading(message, id, now).encode() + (
        bodies[0] if len(bodies) == 1 else alternative(id, bodies)
    )


def heading(message: Outgoing, id: str, now: datetime) -> str:
    """All header lines but those about the content."""
    sender, address = from_header(message.sender)
    subject = unstructured("Subject", message.parts.get("subject", "").strip())
    more = "".join(f"{further(name, value)}\r\n" for name, value in message.headers.items())
    return (
        f"Date: {date(int(now.timestamp()))}\r\n{sender}\r\nTo: {message.address}\r\n{subject}\r\n"
        f"Message-ID: <{id}@{address.rpartition('@')[2]}>\r\nX-Parcours-Message: {id}\r\n"
        f"{more}MIME-Version: 1.0\r\n"
    )


@lru_cache(maxsize=16)
def date(second: int) -> str:
    """The Date header's value, which is the same for every mail of a second."""
    return format_datetime(datetime.fromtimestamp(second, UTC))


def single(kind: str, encoding: str, data: bytes) -> bytes:
    """Content headers and body of a part."""
    return content(kind, encoding) + data


@lru_cache(maxsize=16)
def content(kind: str, encoding: str) -> bytes:
    """The content headers of a part."""
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode()


def alternative(id: str, bodies: list[bytes]) -> bytes:
    """Content headers and body of a mail with several renderings of the same."""
    boundary = f"=_{id}".encode()
    while any(boundary in one for one in bodies):
        boundary += b"_"
    return b"".join((
        b'Content-Type: multipart/alternative;\r\n boundary="%b"\r\n' % boundary,
        *[b"\r\n--%b\r\n%b" % (boundary, one) for one in bodies],
        b"\r\n--%b--\r\n" % boundary,
    ))


def body(text: str, eight_bit: bool) -> tuple[str, bytes]:
    """Transfer encoding and bytes of a body, which always ends with a line break."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    data = text.encode("utf-8", "replace").replace(b"\n", b"\r\n")
    if (text.isascii() or eight_bit) and b"\0" not in data and is_narrow(data):
        return ("7bit" if text.isascii() else "8bit"), data
    return "quoted-printable", binascii.b2a_qp(data, istext=True)


def is_narrow(data: bytes) -> bool:
    """Whether no line is longer than SMTP allows."""
    start = 0
    while len(data) - start > LONGEST_LINE:
        start = data.rfind(b"\r\n", start, start + LONGEST_LINE + 2) + 2
        if start == 1:
            return False
    return True
