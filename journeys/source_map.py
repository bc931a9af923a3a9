"""Where each part of a journey stands in its file: by path, the place of its key and its value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """A line and a column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar's value: where it starts, and whether it is quoted, folded or literal."""

    start: Place
    style: str | None = None


@dataclass(frozen=True, slots=True)
class SourceMap:
    """The places of a file. One without places, of a definition that was no file, says line 1."""

    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Text] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def place(self, path: Path) -> Place:
        """Where the value at `path` stands, else its key, else what it would be part of."""
        for length in range(len(path), -1, -1):
            if (text := self.values.get(path[:length])) is not None:
                if length and length < len(path) and path[:length] in self.keys:
                    return self.keys[path[:length]]
                return text.start
        return Place(1, 1)

    def key(self, path: Path) -> Place:
        """Where the key at `path` stands."""
        return self.keys.get(path) or self.place(path)

    def within(self, path: Path, line: int, column: int) -> Place:
        """Where `line` and `column` of the text at `path` stand in the file."""
        text = self.values.get(path)
        if text is None:
            return self.place(path)
        if text.style in {"|", ">"}:
            return self._within_block(text.start, line, column)
        if line > 1:
            return Place(text.start.line + line - 1, column)
        return Place(text.start.line, text.start.column + column - 1 + bool(text.style))

    def _within_block(self, start: Place, line: int, column: int) -> Place:
        """In a block, whose text begins on a later line; a folded one joins its lines by spaces."""
        rows = [
            (number, len(row) - len(row.lstrip()), len(row.strip()))
            for number, row in enumerate(self.lines[start.line :], start.line + 1)
            if row.strip()
        ]
        for number, indent, length in rows:
            if line == 1 and column <= length + 1:
                return Place(number, indent + column)
            if line == 1:
                column -= length + 1
            else:
                line -= 1
        return start
