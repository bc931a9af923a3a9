"""Imports as they are shown: how far one is, what became of its rows, what is wrong with some."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal
from uuid import UUID

from audiences.imports.flaws import SAID, Flaw, FlawKind
from audiences.imports.options import Options
from journeys.model import Model
from storage.imports import Chunk, Counts, ImportRow


class CountsView(Model):
    """What became of rows: each was created, matched or failed. `joined` and `left` are members."""

    rows: int
    created: int
    matched: int
    failed: int
    joined: int
    left: int


class ImportView(Model):
    """An import as it stands; `done` are the numbers of the chunks that were taken."""

    id: UUID
    audience: str
    name: str | None
    state: Literal["open", "completing", "completed"]
    options: Options
    started_at: datetime
    completed_at: datetime | None
    counts: CountsView
    done: tuple[int, ...]


class ErrorView(Model):
    """A row that was not taken; its value is in the file."""

    line: int
    column: str | None
    kind: FlawKind
    wrong: str
    todo: str


class ChunkView(Model):
    """What became of a chunk."""

    number: int
    counts: CountsView
    errors: tuple[ErrorView, ...]


class ErrorPage(Model):
    """The errors of some chunks; `next` is the `after` of the following page."""

    items: tuple[ErrorView, ...]
    next: int | None


def view(row: ImportRow) -> ImportView:
    """A row as it is shown."""
    closed: Literal["open", "completing"] = "open" if row.chunks is None else "completing"
    return ImportView(
        id=row.id,
        audience=row.audience,
        name=row.name,
        state="completed" if row.completed_at else closed,
        options=row.options,
        started_at=row.started_at,
        completed_at=row.completed_at,
        counts=counts_view(row.counts),
        done=tuple(row.done),
    )


def counts_view(counts: Counts) -> CountsView:
    """Counts with their sum."""
    return CountsView(rows=counts.created + counts.matched + counts.failed, **asdict(counts))


def chunk_view(chunk: Chunk) -> ChunkView:
    """A chunk as it is shown."""
    return ChunkView(
        number=chunk.number,
        counts=counts_view(chunk.counts),
        errors=error_views(chunk.flaws),
    )


def error_views(flaws: Sequence[Flaw]) -> tuple[ErrorView, ...]:
    """Flaws in words."""
    return tuple(
        ErrorView(line=one.line, column=one.column, kind=one.kind, wrong=wrong, todo=todo)
        for one in flaws
        for wrong, todo in [SAID[one.kind]]
    )
