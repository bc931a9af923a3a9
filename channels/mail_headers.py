"""Header lines of a mail: encoded where they must be, refused where they could do harm."""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache

from channels.base import PermanentFailure

LONGEST_LINE = 998
USUAL_LINE = 78
ENCODED_BYTES = 39  # as base64 in one encoded word, on a line of at most 76 (RFC 2047)

NAME = re.compile(r"[!-9;-~]+")
NAMED = re.compile(r"(.*?)\s*<([^<>]*)>")
PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
ADDRESS = re.compile(r"[^\s<>(),:;\"\\@\x00-\x20\x7f]{1,64}@[^\s<>(),:;\"\\@\x00-\x20\x7f]{1,255}")

OURS = frozenset({
    "from", "to", "subject", "date", "message-id", "mime-version", "x-parcours-message",
    "content-type", "content-transfer-encoding", "content-disposition",
})  # fmt: skip


def mailbox(text: str, name: str) -> tuple[str, str]:
    """Display name and address of `Name <address>`; a line break or a bad address is refused."""
    refuse_breaks(text, name)
    found = NAMED.fullmatch(text.strip())
    shown, address = found.groups() if found else ("", text.strip())
    check_address(address, name)
    if len(shown) > 1 and shown[0] == shown[-1] == '"':
        shown = re.sub(r"\\(.)", r"\1", shown[1:-1])
    return shown, address


def check_address(address: str, name: str) -> None:
    """Refuse what is not an address, or what would be a second command or header."""
    if not ADDRESS.fullmatch(address) or not address.isprintable():
        raise PermanentFailure(f"{name} is not an email address", suppress=name == "recipient")


def refuse_breaks(text: str, name: str) -> None:
    """A line break in a header would begin another header."""
    if "\n" in text or "\r" in text:
        raise PermanentFailure(f"{name} contains a line break")


def unstructured(name: str, value: str) -> str:
    """A header of free text, such as Subject."""
    refuse_breaks(value, name)
    if value.isascii() and value.isprintable() and "=?" not in value:
        plain = f"{name}: {value.strip(' ')}"
        if len(plain) <= USUAL_LINE:
            return plain
    return f"{name}: {words(value)}"


@lru_cache(maxsize=256)
def from_header(sender: str) -> tuple[str, str]:
    """The From line and the bare address of a sender."""
    shown, address = mailbox(sender, "sender")
    if not shown:
        return f"From: {address}", address
    if PLAIN_PHRASE.fullmatch(shown) and len(shown) < USUAL_LINE and "=?" not in shown:
        return f"From: {shown} <{address}>", address
    if shown.isascii() and shown.isprintable() and len(shown) < USUAL_LINE and "=?" not in shown:
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        return f'From: "{quoted}" <{address}>', address
    return f"From: {words(shown)}\r\n <{address}>", address


def further(name: str, value: str) -> str:
    """A header the caller adds, such as List-Unsubscribe; long ones are folded at commas."""
    if not NAME.fullmatch(name) or name.lower() in OURS:
        raise PermanentFailure(f"header {name!r} cannot be set")
    refuse_breaks(value, f"header {name!r}")
    if not value.isascii() or not value.isprintable():
        return unstructured(name, value)
    line = f"{name}: {value.strip()}"
    if len(line) > USUAL_LINE:
        line = line.replace(", ", ",\r\n ")
    if any(len(part) > LONGEST_LINE for part in line.split("\r\n")):
        raise PermanentFailure(f"header {name!r} has a line of more than {LONGEST_LINE} characters")
    return line


def words(text: str) -> str:
    """The text as encoded words (RFC 2047), one a line."""
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(chunk).decode()}?=" for chunk in chunks(text))


def chunks(text: str) -> Iterator[bytes]:
    """UTF-8 in pieces that fit an encoded word and never cut a character."""
    data = text.encode("utf-8", "replace")
    start = 0
    while start < len(data):
        end = min(start + ENCODED_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        yield data[start:end]
        start = end
