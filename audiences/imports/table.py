"""Cuts CSV text into records, the same way wherever a file is cut up.

A record that cannot be read costs one line: reading goes on with the line after it.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from audiences.imports.flaws import RECORD_LENGTH, RECORD_LINES, FlawKind

DELIMITERS = ",;\t"


class TooLong(Exception):
    """A record goes on and on."""


@dataclass(frozen=True, slots=True)
class Record:
    """The lines of one record, the first's number, and its values; or what is wrong with it."""

    line: int
    lines: list[str]
    values: list[str] = field(default_factory=list)
    flaw: FlawKind | None = None

    @property
    def is_blank(self) -> bool:
        """Whether it counts as no row at all."""
        return not self.values and self.flaw is None


class Feed:
    """Lines for csv.reader, which remembers those of the present record."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._length = 0
        self.taken: list[str] = []

    def __iter__(self) -> "Feed":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        self._length += len(line)
        if self._length > RECORD_LENGTH or len(self.taken) > RECORD_LINES:
            raise TooLong
        return line

    def next_record(self, *, keep: int | None = None) -> list[str]:
        """The lines of the record that was read; all after the first `keep` come again."""
        taken, self.taken, self._length = self.taken, [], 0
        if keep is not None:
            self._again.extendleft(reversed(taken[keep:]))
            return taken[:keep]
        return taken


def records(lines: Iterable[str], delimiter: str, first: int = 1) -> Iterator[Record]:
    """Every record; `first` is the number of the first line. A blank line has no values."""
    feed = Feed(lines)
    line = first
    while True:
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        flaw: FlawKind | None = None
        try:
            for values in reader:
                taken = feed.next_record()
                yield Record(line, taken, values)
                line += len(taken)
        except csv.Error:
            flaw = "quote"
        except TooLong:
            flaw = "too_long"
        if flaw is None:
            return
        taken = feed.next_record(keep=1)
        yield Record(line, taken, flaw=flaw)
        line += len(taken)


def delimiter_of(header: str) -> str:
    """The delimiter that a header line is written with."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends; only a line feed ends one."""
    *whole, last = text.split("\n")
    lines = [line + "\n" for line in whole]
    return [*lines, last] if last else lines
