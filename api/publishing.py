"""A journey as it comes over HTTP: checked completely, and named by its hash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from pydantic import Field, JsonValue, model_validator

from api.errors import Problem
from journeys.check import check_document
from journeys.definition import Journey
from journeys.document import Document, read, understand
from journeys.fields import nearest
from journeys.finding import Finding
from journeys.model import Model
from journeys.source_map import SourceMap
from journeys.steps.send import Channel, Send
from journeys.templates import Template
from journeys.way import Way, is_entered_by_runs, way_of

EXAMPLE: dict[str, JsonValue] = {
    "journey": "welcome",
    "class": "marketing",
    "entry": {"event": "Signed Up", "reentry": "never"},
    "steps": [{"id": "hello", "kind": "send", "channel": "email", "template": "hello"}],
}
PARTS = {"subject": "Welcome, {{ customer.first_name }}", "text": "Good that you are here."}


class TemplateBody(Model):
    """What a message says, part by part; the channel is that of the step which sends it."""

    name: str | None = None
    channel: Channel | None = None
    parts: dict[str, str] = Field(examples=[PARTS])


class PublishRequest(Model):
    """A journey as `definition`, or as the `text` of its file (findings then name its lines)."""

    definition: JsonValue = Field(None, examples=[EXAMPLE])
    text: str | None = None
    templates: dict[str, TemplateBody] = Field(
        default_factory=dict, examples=[{"hello": {"parts": PARTS}}]
    )

    @model_validator(mode="after")
    def is_one_of_both(self) -> "PublishRequest":
        """Two definitions would leave open which counts."""
        if (self.definition is None) == (self.text is None):
            raise ValueError("send either `definition` or `text`")
        return self


@dataclass(frozen=True, slots=True)
class Sound:
    """A journey without errors, as it is stored."""

    definition: dict[str, Any]
    templates: dict[str, Any]
    hash: str
    warnings: tuple[Finding, ...]
    way: Way | None


def checked(name: str, body: PublishRequest, now: datetime) -> Sound:
    """The journey that `body` holds; a Problem with every finding where there is an error."""
    document = (
        read(body.text, name)
        if body.text is not None
        else understand(body.definition, SourceMap(), name)
    )
    templates = named(body.templates, document)
    findings = check_document(document, templates, now)
    errors = [one for one in findings if one.severity == "error"]
    if document.journey is None or errors:
        said = "; ".join(
            f"{one.step}: {one.message}" if one.step else one.message for one in errors[:3]
        )
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise Problem(
            400,
            "The journey has errors",
            said + more,
            findings=[one.model_dump(mode="json") for one in findings],
        )
    if document.journey.journey != name:
        raise Problem(
            400,
            "Another journey's name",
            f"the definition is of {document.journey.journey!r}; "
            f"publish it at /v1/journeys/{document.journey.journey}",
        )
    definition, stored = definition_of(document.journey), templates_of(templates)
    way = way_of(document.journey) if is_entered_by_runs(document.journey.entry) else None
    return Sound(definition, stored, digest(definition, stored), tuple(findings), way)


def no_audience(sound: Sound, known: Iterable[str]) -> list[Finding]:
    """A warning where nobody can enter: no audience of that name was published yet."""
    audience = sound.definition["entry"].get("audience")
    if audience is None or audience in (names := set(known)):
        return []
    return [
        Finding(
            file=sound.definition["journey"],
            line=1,
            field="entry.audience",
            severity="warning",
            code="no_audience",
            message=f"no audience is called {audience!r}: nobody enters until there is one",
            hint=nearest(audience, names) if names else "publish the audience",
        )
    ]


def named(bodies: Mapping[str, TemplateBody], document: Document) -> dict[str, Template]:
    """The templates with their names, on the channels of the steps that send them."""
    channels: dict[str, Channel] = {}
    for step in steps_of(document):
        if isinstance(step, Send):
            channels.setdefault(step.template, step.channel)
    return {
        name: Template(
            name=name, channel=body.channel or channels.get(name, "email"), parts=body.parts
        )
        for name, body in bodies.items()
    }


def steps_of(document: Document) -> Iterable[object]:
    """The steps of a document, as far as they could be read."""
    return document.draft.steps if document.draft is not None else ()


def definition_of(journey: Journey) -> dict[str, Any]:
    """A journey as it goes over the wire and into the database."""
    return journey.model_dump(mode="json", by_alias=True, exclude_none=True)


def templates_of(templates: Mapping[str, Template]) -> dict[str, Any]:
    """Templates as they go over the wire and into the database."""
    return {name: template.model_dump(mode="json") for name, template in templates.items()}


def digest(definition: Mapping[str, Any], templates: Mapping[str, Any]) -> str:
    """The hash of a version; a definition's order counts, for branches are tried in theirs."""
    told = orjson.dumps(definition) + orjson.dumps(templates, option=orjson.OPT_SORT_KEYS)
    return sha256(told).hexdigest()
