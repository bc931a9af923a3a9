"""Audience files on disk, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from audiences.catalog import Catalog
from audiences.check import check_document
from audiences.definition import AnyAudience
from audiences.document import Document, read
from cli.check import lines
from cli.errors import CommandError
from cli.files import read_file, unreadable
from journeys.finding import Finding
from journeys.source_map import SourceMap

File = Annotated[Path, typer.Argument(metavar="FILE", help="An audience file.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Audience files.")]


@dataclass(frozen=True)
class Loaded:
    """An audience file as it was found, and everything that is wrong with it."""

    path: Path
    document: Document
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there is no error among the findings."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def audience(self) -> AnyAudience:
        """The audience; raises CommandError, with every error, where there is none."""
        if self.document.audience is None:
            raise CommandError(f"{self.path} holds no audience")
        return self.document.audience

    @property
    def body(self) -> dict[str, Any]:
        """The audience as it goes over the wire."""
        return {"definition": self.audience.model_dump(mode="json", exclude_none=True)}


def load(paths: Sequence[Path]) -> list[Loaded]:
    """Read files, and check each beside the others: whatever is wrong is a finding."""
    documents = [(path, document(path)) for path in paths]
    found = {one.audience.audience: one.audience for _, one in documents if one.audience}
    catalog = Catalog(found)
    return [
        Loaded(path, one, tuple(check_document(one, catalog, partial=True)))
        for path, one in documents
    ]


def document(path: Path) -> Document:
    """What a file holds."""
    try:
        return read(read_file(path), str(path))
    except (OSError, ValueError) as error:
        return Document(str(path), SourceMap(), findings=(unreadable(path, error),))


def complain(loaded: Sequence[Loaded]) -> None:
    """Say what is wrong, and go no further where it is an error."""
    if any(one.findings for one in loaded):
        console = Console(highlight=False, soft_wrap=True, stderr=True)
        for line in lines(loaded):
            console.print(line)
    if not all(one.is_sound for one in loaded):
        raise CommandError("nothing was published: put the errors right first")


def sound(path: Path) -> Loaded:
    """One file without errors; raises CommandError with all of them."""
    [loaded] = load([path])
    errors = [str(finding) for finding in loaded.findings if finding.severity == "error"]
    if errors:
        raise CommandError("\n".join([f"{path} has errors", *errors]))
    return loaded
