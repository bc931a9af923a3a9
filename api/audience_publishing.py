"""An audience as it comes over HTTP: checked completely, and named by its hash."""

from dataclasses import dataclass
from hashlib import sha256

import orjson
from pydantic import Field, JsonValue, model_validator

from api.errors import Problem
from audiences.catalog import Catalog
from audiences.check import check_document
from audiences.definition import AnyAudience
from audiences.document import read, understand
from journeys.finding import Finding
from journeys.model import Model
from journeys.source_map import SourceMap

EXAMPLE: JsonValue = {
    "audience": "loyal",
    "kind": "rule",
    "when": 'events("Order Completed", days(90)).size() >= 3',
}


class AudienceRequest(Model):
    """An audience as `definition`, or as the `text` of its file (findings then name its lines)."""

    definition: JsonValue = Field(None, examples=[EXAMPLE])
    text: str | None = Field(None, max_length=1_000_000)

    @model_validator(mode="after")
    def is_one_of_both(self) -> "AudienceRequest":
        """Two definitions would leave open which counts."""
        if (self.definition is None) == (self.text is None):
            raise ValueError("send either `definition` or `text`")
        return self


@dataclass(frozen=True, slots=True)
class SoundAudience:
    """An audience without errors, as it is stored."""

    audience: AnyAudience
    hash: str
    warnings: tuple[Finding, ...]


def checked(name: str | None, body: AudienceRequest, catalog: Catalog) -> SoundAudience:
    """The audience that `body` holds; a Problem with every finding where there is an error."""
    file = name or "audience"
    document = (
        read(body.text, file)
        if body.text is not None
        else understand(body.definition, SourceMap(), file)
    )
    findings = check_document(document, catalog)
    errors = [one for one in findings if one.severity == "error"]
    if document.audience is None or errors:
        said = "; ".join(one.message for one in errors[:3])
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise Problem(
            400,
            "The audience has errors",
            said + more,
            findings=[one.model_dump(mode="json") for one in findings],
        )
    audience = document.audience
    if name is not None and audience.audience != name:
        raise Problem(
            400,
            "Another audience's name",
            f"the definition is of {audience.audience!r}; "
            f"publish it at /v1/audiences/{audience.audience}",
        )
    stored = orjson.dumps(audience.model_dump(mode="json", exclude_none=True))
    return SoundAudience(audience, sha256(stored).hexdigest(), tuple(findings))
