"""SMTP replies as bytes arrive: multi-line, bounded in length, with enhanced status codes."""

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST_LINE = 4096  # RFC 5321 says 512; servers that explain themselves exceed it
MOST_LINES = 200

LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")


class MalformedReplyError(Exception):
    """The server says something that is not SMTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the server, with all of its lines."""

    code: int
    lines: tuple[str, ...]
    text: str
    """Code and lines in one."""

    @classmethod
    def of(cls, code: int, lines: tuple[str, ...]) -> "Reply":
        """The reply with this code and these lines."""
        return cls(code, lines, f"{code} {' '.join(line for line in lines if line)}".rstrip())

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code (RFC 3463) if the server gave one."""
        found = ENHANCED.match(self.lines[0])
        return found.group(1) if found else None

    @property
    def is_positive(self) -> bool:
        """Whether the command was carried out or, for DATA, may go on."""
        return self.code < 400

    def __str__(self) -> str:
        return self.text


class ReplyParser:
    """Gathers bytes into replies."""

    def __init__(self) -> None:
        self._rest = b""
        self._code = 0
        self._lines: list[str] = []

    @property
    def is_between_replies(self) -> bool:
        """Whether nothing of a further reply has arrived."""
        return not self._rest and not self._lines

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are complete with `data`."""
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LONGEST_LINE:
            raise MalformedReplyError(f"a reply line is longer than {LONGEST_LINE} bytes")
        return [reply for line in lines if (reply := self._line(line)) is not None]

    def _line(self, line: bytes) -> Reply | None:
        if not self._lines and (reply := usual(line)) is not None:
            return reply
        if len(line) > LONGEST_LINE:
            raise MalformedReplyError(f"a reply line is longer than {LONGEST_LINE} bytes")
        found = LINE.fullmatch(line.rstrip(b"\r"))
        if found is None:
            raise MalformedReplyError(f"not an SMTP reply: {printable(line[:80])}")
        code = int(found.group(1))
        if self._lines and code != self._code:
            raise MalformedReplyError(f"a reply changes its code from {self._code} to {code}")
        if len(self._lines) == MOST_LINES:
            raise MalformedReplyError(f"a reply has more than {MOST_LINES} lines")
        self._code = code
        self._lines.append(printable(found.group(3) or b""))
        if found.group(2) == b"-":
            return None
        lines, self._lines = tuple(self._lines), []
        return Reply.of(code, lines)


@lru_cache(maxsize=256)
def usual(line: bytes) -> Reply | None:
    """A reply of one line; a server says the same few over and over."""
    found = LINE.fullmatch(line.rstrip(b"\r")) if len(line) <= LONGEST_LINE else None
    if found is None or found.group(2) == b"-":
        return None
    return Reply.of(int(found.group(1)), (printable(found.group(3) or b""),))


def printable(line: bytes) -> str:
    """The server's words without anything that could act on a terminal or a log."""
    text = line.decode("utf-8", "replace").strip()
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
