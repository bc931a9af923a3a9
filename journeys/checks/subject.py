"""What is being checked, and how a finding about it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from journeys.checks.graph import Graph
from journeys.definition import Journey
from journeys.fields import field_name
from journeys.finding import Finding, Severity
from journeys.source_map import Path, Place, SourceMap
from journeys.steps.base import StepBase
from journeys.templates import Template


@dataclass(frozen=True, slots=True)
class Subject:
    """A journey with its templates, where its parts stand, and how its steps hang together."""

    journey: Journey
    templates: Mapping[str, Template]
    map: SourceMap
    file: str
    graph: Graph
    now: datetime | None = None

    def steps(self) -> list[tuple[Path, StepBase]]:
        """Every step with its path."""
        return [(("steps", index), step) for index, step in enumerate(self.journey.steps)]

    def finding(
        self,
        path: Path,
        code: str,
        message: str,
        hint: str,
        *,
        severity: Severity = "error",
        at_key: bool = False,
        place: Place | None = None,
        excerpt: str | None = None,
    ) -> Finding:
        """A finding about what stands at `path`."""
        place = place or (self.map.key(path) if at_key else self.map.place(path))
        in_step = path[:1] == ("steps",) and len(path) > 1 and isinstance(path[1], int)
        step = self.journey.steps[int(path[1])].id if in_step else None
        return Finding(
            file=self.file,
            line=place.line,
            column=place.column,
            step=step,
            field=None if in_step and len(path) == 2 else field_name(path) or None,
            severity=severity,
            code=code,
            message=message,
            hint=hint,
            excerpt=excerpt,
        )
