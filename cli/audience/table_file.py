"""A CSV file on disk: its header, its rows cut into chunks the same way every time, its values."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple

from audiences.imports.flaws import RECORD_LENGTH
from audiences.imports.table import Record, delimiter_of, records
from cli.errors import CommandError

ROWS, BYTES = 2_000, 3_000_000  # of a chunk, whichever is reached first
SHOWN = 200  # characters of a value
UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Piece(NamedTuple):
    """A chunk of the file: a CSV file with the same header, and the line of its first row."""

    number: int
    line: int
    content: bytes
    rows: int


@dataclass(frozen=True)
class TableFile:
    """The file, cut into chunks of so many rows; one that is no CSV in UTF-8 is a CommandError."""

    path: Path
    chunk: int = ROWS

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size

    @cached_property
    def name(self) -> str:
        """What names its content, and how it is cut into chunks."""
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return f"sha256:{digest}:{self.chunk}:{BYTES}"

    @cached_property
    def header(self) -> Record:
        """The names of the columns."""
        first = next(records(self._lines(), self.delimiter), None)
        if first is None or first.is_blank:
            raise CommandError(f"{self.path}:1: the file has no header; begin with column names")
        if first.flaw is not None:
            raise CommandError(f"{self.path}:1: the header cannot be read; look at its quotes")
        return first

    @cached_property
    def delimiter(self) -> str:
        """What stands between values."""
        return delimiter_of(next(self._lines(), ""))

    def rows(self) -> Iterator[Record]:
        """Everything after the header."""
        found = records(self._lines(), self.delimiter)
        next(found)
        return found

    def pieces(self) -> Iterator[Piece]:
        """The chunks, in order."""
        header = "".join(self.header.lines)
        head = encoded(header if header.endswith("\n") else header + "\n")
        number, line, rows, size = 0, len(self.header.lines) + 1, 0, 0
        lines: list[bytes] = []
        for record in self.rows():
            raw = encoded("".join(record.lines))
            if lines and (rows == self.chunk or size + len(raw) > BYTES):
                yield Piece(number, line, head + b"".join(lines), rows)
                number, line, rows, size, lines = number + 1, record.line, 0, 0, []
            lines.append(raw)
            size += len(raw)
            rows += not record.is_blank
        if rows:
            yield Piece(number, line, head + b"".join(lines), rows)

    def values(self, places: Iterable[tuple[int, str | None]]) -> Iterator[str]:
        """What stands in the file at lines and columns, which come in the order of the file."""
        columns = {name.strip(): place for place, name in enumerate(self.header.values)}
        rows = self.rows()
        row = next(rows, None)
        for line, column in places:
            while row is not None and row.line < line:
                row = next(rows, None)
            if row is None or row.line != line:
                yield ""
            elif column in columns and columns[column] < len(row.values):
                yield shown(row.values[columns[column]])
            else:
                yield shown("".join(row.lines).rstrip("\r\n"))

    def _lines(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            start = file.read(3)
            if start.startswith(UTF16):
                raise CommandError(f"{self.path} is UTF-16; save it as UTF-8 (`CSV UTF-8`)")
            file.seek(3 if start == b"\xef\xbb\xbf" else 0)
            for line in bounded(file):
                yield line.decode("utf-8", "surrogateescape")


def bounded(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long only so much that this can be seen."""
    longest = 4 * RECORD_LENGTH + 2
    while line := file.readline(longest):
        if len(line) == longest and not line.endswith(b"\n"):
            while (rest := file.readline(longest)) and not rest.endswith(b"\n"):
                pass
            line += b"\n"
        yield line


def encoded(text: str) -> bytes:
    """The bytes that a text was read from."""
    return text.encode("utf-8", "surrogateescape")


def shown(value: str) -> str:
    """A value for people, shortened and free of what is no text."""
    readable = value.encode("utf-8", "replace").decode()
    return readable if len(readable) <= SHOWN else readable[: SHOWN - 1] + "…"
