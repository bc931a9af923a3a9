"""A file of tracking events, one JSON object a line, gzipped or not: read a line at a time."""

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from api.tracking.body import parse
from api.tracking.errors import BadItem, Refusal
from api.tracking.segment import Envelope, read_item
from api.tracking.times import parse_instant
from cli.errors import CommandError
from journeys.event import Event

STAMPS = ("originalTimestamp", "timestamp")  # the first that an event has says when it occurred
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, and where it stands."""

    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no event."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class EventFile:
    """The file, with every event as much later as `shift` says."""

    path: Path
    shift: timedelta = timedelta(0)

    @property
    def size(self) -> int:
        """Its bytes on the disk, which `lines` counts down."""
        return self.path.stat().st_size

    def lines(self, advance: Advance | None = None) -> Iterator[Line]:
        """Every line that is not empty; `advance` is told the bytes read on the disk."""
        with self.path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            content = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if zipped else raw
            told = 0
            try:
                for number, line in enumerate(content, 1):
                    if advance is not None and (read := raw.tell()) > told:
                        advance(read - told)
                        told = read
                    if stripped := line.strip():
                        yield Line(number, stripped)
            except (EOFError, gzip.BadGzipFile) as error:
                raise CommandError(f"{self.path} is cut short or no gzip file: {error}") from error

    def items(self, advance: Advance | None = None) -> Iterator[tuple[Line, Any] | BadLine]:
        """Every line with its JSON, shifted."""
        for line in self.lines(advance):
            try:
                yield line, self._identified(line, orjson.loads(line.content))
            except (orjson.JSONDecodeError, BadItem) as error:
                yield BadLine(self.path, line.number, str(error))

    def events(self, advance: Advance | None = None) -> Iterator[Event | BadLine]:
        """Every event, read as the server reads it, but received when it occurred."""
        envelope = Envelope(END_OF_TIME, None, {}, is_suspect=False)
        for line in self.lines(advance):
            try:
                yield self._event(line, envelope)
            except (BadItem, Refusal) as error:
                yield BadLine(self.path, line.number, error.message)

    def _event(self, line: Line, envelope: Envelope) -> Event:
        body = parse(line.content)
        item = body.value
        if isinstance(item, dict):
            item = self._identified(line, item)
        event = read_item(item, None, replace(envelope, is_suspect=body.is_suspect))
        if event.occurred_at == END_OF_TIME:
            raise BadItem("no_timestamp", "the event has no timestamp")
        return replace(event, received_at=event.occurred_at)

    def _identified(self, line: Line, item: Any) -> Any:
        """The item shifted, with a message id that is the same in every run, and no `sentAt`.

        When the file was sent says nothing of the clock that stamped its events.
        """
        if not isinstance(item, dict):
            return item
        kept = {key: value for key, value in item.items() if key != "sentAt"}
        if kept.get("messageId") in (None, ""):
            kept["messageId"] = f"{self.path.name}:{line.number}"
        return shifted(kept, self.shift)

    def ending_at(self, instant: datetime) -> "EventFile":
        """The same file, shifted so that its last event occurs at `instant`."""
        stamps = (stamp_of(item) for item in map(loaded, self.lines()))
        last = max((stamp for stamp in stamps if stamp is not None), default=instant)
        return EventFile(self.path, instant - last)


def loaded(line: Line) -> object:
    """The JSON of a line, or None where it has none."""
    try:
        return orjson.loads(line.content)
    except orjson.JSONDecodeError:
        return None


def stamp_of(item: object) -> datetime | None:
    """When an event says that it occurred; None where it does not, or not readably."""
    if not isinstance(item, dict):
        return None
    try:
        stamps = (parse_instant(item.get(field), field) for field in STAMPS)
        return next((stamp for stamp in stamps if stamp is not None), None)
    except BadItem:
        return None


def shifted(item: dict[str, Any], shift: timedelta) -> dict[str, Any]:
    """The item with its stamps as much later; raises BadItem where one is no instant."""
    if not shift:
        return item
    moved = dict(item)
    for field in STAMPS:
        stamp = parse_instant(item.get(field), field)
        if stamp is not None:
            try:
                moved[field] = (stamp + shift).isoformat()
            except OverflowError as error:
                raise BadItem("bad_timestamp", f"{field} cannot be shifted") from error
    return moved


def opened(path: Path, *, to: datetime | None) -> EventFile:
    """The file, shifted if it is to end at an instant; raises CommandError if it is not there."""
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file")
    file = EventFile(path)
    return file if to is None else file.ending_at(to)


def end_instant(shift_to: str | None, *, now: bool) -> datetime | None:
    """Where `--shift-to` or `--shift-to-now` want the last event; None to leave it."""
    if shift_to is None:
        return datetime.now(UTC) if now else None
    if now:
        raise CommandError("--shift-to and --shift-to-now exclude each other")
    return instant_named(shift_to, "--shift-to")


def instant_named(text: str, option: str) -> datetime:
    """The instant that an option's value says."""
    try:
        instant = parse_instant(text, option)
    except BadItem as error:
        raise CommandError(f"{error.message}; write it like 2026-01-31T12:00:00Z") from error
    if instant is None:
        raise CommandError(f"{option} needs an instant")
    return instant
