"""Everything that is wrong with a journey, all at once."""

from collections.abc import Mapping
from datetime import datetime

from journeys.checks.conditions import check_conditions
from journeys.checks.content import check_content
from journeys.checks.entries import check_entry
from journeys.checks.graph import Graph
from journeys.checks.subject import Subject
from journeys.checks.waits import check_waits
from journeys.checks.ways import check_ways
from journeys.definition import Journey
from journeys.document import Document
from journeys.finding import Finding, ordered
from journeys.source_map import SourceMap
from journeys.templates import Template

CHECKS = (check_entry, check_ways, check_waits, check_conditions, check_content)


def check(
    journey: Journey,
    templates: Mapping[str, Template],
    source_map: SourceMap | None = None,
    file: str = "",
    now: datetime | None = None,
) -> list[Finding]:
    """What is wrong with `journey`, by line. With no error among it, an instance may trust it.

    Given the present, a schedule whose last time has passed is wrong too.
    """
    subject = Subject(journey, templates, source_map or SourceMap(), file, Graph.of(journey), now)
    return ordered([finding for part in CHECKS for finding in part(subject)])


def check_document(
    document: Document, templates: Mapping[str, Template], now: datetime | None = None
) -> list[Finding]:
    """What is wrong with a file: its shape, and whatever of it could be read nevertheless."""
    found = list(document.findings)
    if document.draft is not None:
        found += check(document.draft, templates, document.map, document.file, now)
    return ordered(found)
