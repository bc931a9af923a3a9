"""An audience file, read: the audience, or everything about its shape that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from audiences.definition import AnyAudience, AudienceBase, Composition, List, Rule
from journeys.fields import field_name, nearest
from journeys.finding import Finding, ordered
from journeys.source_map import Path, SourceMap
from journeys.text import read_text
from journeys.wording import PATTERNS, Said, say, shown

KINDS: Mapping[str, type[AudienceBase]] = {"rule": Rule, "list": List, "composition": Composition}
KEY = "audience"  # what tells an audience file from a journey file


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds. `audience` is None where something is wrong with its shape."""

    file: str
    map: SourceMap
    audience: AnyAudience | None = None
    findings: tuple[Finding, ...] = ()


def read(text: str, file: str) -> Document:
    """The document that `text` is; `file` names it in findings."""
    data, places, problems = read_text(text)
    findings = [
        Finding(
            file=file,
            line=one.place.line,
            column=one.place.column,
            field=field_name(one.path) or None,
            code=one.code,
            message=one.message,
            hint=one.hint,
        )
        for one in problems
    ]
    if data is None and problems:
        return Document(file, places, None, tuple(findings))
    document = understand(data, places, file)
    if not findings:
        return document
    return Document(file, places, None, tuple(ordered([*findings, *document.findings])))


def understand(data: object, places: SourceMap, file: str) -> Document:
    """The document of a definition that is data already, such as one that came over HTTP."""
    try:
        model = model_of(data)
        audience: Any = model.model_validate(data)
    except Misshapen as wrong:
        said = [wrong.said]
    except ValidationError as error:
        said = [better(one, model) for one in say(error.errors(include_url=False), data)]
    else:
        return Document(file, places, audience)
    findings = [finding(one, places, file) for one in said]
    return Document(file, places, None, tuple(ordered(findings)))


class Misshapen(Exception):
    """The definition is of no known kind."""

    def __init__(self, said: Said) -> None:
        self.said = said
        super().__init__(said.message)


def model_of(data: object) -> type[AudienceBase]:
    """The model of a definition's kind; raises Misshapen."""
    if not isinstance(data, Mapping):
        said = Said((), "wrong_type", f"the file must be a mapping, and is {shown(data)}",
                    "begin with 'audience: …'")  # fmt: skip
        raise Misshapen(said)
    kinds = ", ".join(KINDS)
    kind = data.get("kind")
    if kind is None:
        hint = f"add 'kind: …', one of {kinds}"
        raise Misshapen(Said(("kind",), "missing_field", "kind is missing", hint))
    if not isinstance(kind, str) or kind not in KINDS:
        hint = nearest(str(kind), KINDS)
        raise Misshapen(Said(("kind",), "unknown_kind", f"unknown kind {shown(kind)}", hint))
    return KINDS[kind]


def better(said: Said, model: type[AudienceBase]) -> Said:
    """The sentence with a hint for audiences, where the one for journeys would mislead."""
    if said.code == "unknown_field" and len(said.path) == 1:
        return said._replace(hint=nearest(str(said.path[-1]), model.model_fields))
    if said.path == (KEY,) and said.code == "wrong_value":
        return said._replace(hint=PATTERNS["journey"])
    if said.hint.startswith("it must match"):
        return said._replace(hint="write the name of an audience, or of a part: loyal, pilot/a")
    return said


def finding(said: Said, places: SourceMap, file: str) -> Finding:
    """A sentence about the shape, with its place in the file."""
    path: Path = said.path
    place = places.key(path) if said.at_key else places.place(path)
    return Finding(
        file=file,
        line=place.line,
        column=place.column,
        field=field_name(path) or None,
        code=said.code,
        message=said.message,
        hint=said.hint,
    )
