"""Journey files on disk: the journey, and the templates that lie beside it.

A journey's templates are `templates/<template>.<part>.liquid` in the folder of its file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from journeys.check import check_document
from journeys.checks.content import FOLDER, SUFFIX
from journeys.definition import Journey
from journeys.document import Document, read
from journeys.finding import Finding
from journeys.source_map import SourceMap
from journeys.steps.send import Channel, Send
from journeys.templates import Template
from journeys.tree import MAX_BYTES


class BrokenJourneyError(CommandError):
    """The journey file has errors, so nothing can be done with it."""


@dataclass(frozen=True)
class Loaded:
    """A journey file as it was found, with its templates and everything that is wrong."""

    path: Path
    text: str
    document: Document
    templates: Mapping[str, Template]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether there is no error among the findings."""
        return all(finding.severity != "error" for finding in self.findings)

    @cached_property
    def journey(self) -> Journey:
        """The journey; raises BrokenJourneyError, with every error, where there is one."""
        errors = [str(finding) for finding in self.findings if finding.severity == "error"]
        if self.document.journey is None or errors:
            raise BrokenJourneyError("\n".join([f"{self.path} has errors", *errors]))
        return self.document.journey

    @property
    def definition(self) -> dict[str, Any]:
        """The journey as it goes over the wire."""
        return self.journey.model_dump(mode="json", by_alias=True, exclude_none=True)


def load(path: Path) -> Loaded:
    """Read and check one journey file. Whatever is wrong with it is a finding, never an error."""
    try:
        text = read_file(path)
    except (OSError, ValueError) as error:
        finding = unreadable(path, error)
        document = Document(str(path), SourceMap(), findings=(finding,))
        return Loaded(path, "", document, {}, (finding,))
    document = read(text, str(path))
    templates, lost = load_templates(path.parent / FOLDER, document.draft)
    findings = (*check_document(document, templates, datetime.now(UTC)), *lost)
    return Loaded(path, text, document, templates, findings)


def load_templates(
    folder: Path, journey: Journey | None
) -> tuple[dict[str, Template], list[Finding]]:
    """The templates that the journey sends, and those of their files that cannot be read."""
    channels: dict[str, Channel] = {}
    for step in journey.steps if journey is not None else ():
        if isinstance(step, Send):
            channels.setdefault(step.template, step.channel)
    templates, lost = {}, list[Finding]()
    for name, channel in channels.items():
        parts = {}
        for path in sorted(folder.glob(f"{name}.*{SUFFIX}")):
            try:
                parts[path.name.removeprefix(f"{name}.").removesuffix(SUFFIX)] = read_file(path)
            except (OSError, ValueError) as error:
                lost.append(unreadable(path, error))
        if parts:
            templates[name] = Template(name=name, channel=channel, parts=parts)
    return templates, lost


def read_file(path: Path) -> str:
    """The text of a file that is no larger than a journey file may be, and a little more."""
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 2)
    if len(content) > MAX_BYTES:
        return content.decode("utf-8-sig", errors="replace")
    return content.decode("utf-8-sig")


def unreadable(path: Path, error: OSError | ValueError) -> Finding:
    """The finding about a file that cannot be read."""
    said = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return Finding(
        file=str(path),
        line=1,
        code="unreadable",
        message=f"this file cannot be read: {said}",
        hint="name a journey file in UTF-8",
    )
