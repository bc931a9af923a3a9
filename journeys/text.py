"""The text of a journey file, YAML or JSON, as plain data and the places where each part stands.

YAML 1.2, of which JSON is a part: `on`, `yes` and `no` are text. What other readers would take
differently, or what could blow up, is refused: duplicate keys, keys that are no text, tags, merge
keys, several documents, and more than a journey can need.
"""

from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from journeys.source_map import Path, Place, SourceMap, Text
from journeys.tree import MAX_DEPTH, TOO_BIG, Problem, TextError, compose

MAX_PARTS = 50_000  # after aliases are written out
TAG = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Reader:
    """Turns nodes into data, noting places and problems on the way."""

    map: SourceMap
    problems: list[Problem] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)
    texts: dict[Path, Text] = field(default_factory=dict)

    def read(self, node: Node, path: Path) -> Any:
        """The data of `node`, which stands at `path`."""
        place = Place(node.start_mark.line + 1, node.start_mark.column + 1)
        self.texts[path] = Text(place, getattr(node, "style", None))
        if len(path) > MAX_DEPTH:
            raise TextError(
                Problem(
                    place,
                    path,
                    "too_deep",
                    "this is nested too deep",
                    f"use at most {MAX_DEPTH} levels",
                )
            )
        if len(self.texts) > MAX_PARTS:
            raise TextError(
                Problem(
                    place,
                    path,
                    "too_big",
                    "this file has too many parts",
                    f"{TOO_BIG}; do not nest aliases",
                )
            )
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, place, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            key = self._key(key_node, place, path)
            if key is None:
                continue
            inner = (*path, key)
            if key in data:
                first = self.places[inner].line
                self._note(
                    place,
                    inner,
                    "duplicate_key",
                    f"{key!r} stands here a second time",
                    f"keep this one or the one on line {first}",
                )
                continue
            self.places[inner] = place
            data[key] = self.read(value_node, inner)
            if data[key] is None:
                self.texts[inner] = Text(place)  # an empty value's own mark is a line too far
        return data

    def _key(self, node: Node, place: Place, path: Path) -> str | None:
        """The key of an entry, None where it is none that a journey could have."""
        if node.tag == f"{TAG}merge":
            self._note(
                place,
                path,
                "merge_key",
                "merge keys (<<) are not read",
                "write the fields out, or use an alias for a whole value",
            )
            return None
        if not isinstance(node, ScalarNode) or node.tag != f"{TAG}str":
            shown = node.value if isinstance(node, ScalarNode) else "a list or mapping"
            self._note(
                place,
                path,
                "key_not_text",
                f"the key {shown} is not text",
                f'write it in quotes: "{shown}"'
                if isinstance(node, ScalarNode)
                else "use plain words as keys",
            )
            return None
        return str(node.value)

    def _scalar(self, node: Node, place: Place, path: Path) -> Any:
        kind, text = str(node.tag).removeprefix(TAG), str(node.value)
        if kind in {"str", "timestamp"}:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in {"true", "yes", "on", "y"}
        try:
            return int(text.replace("_", ""), 0) if kind == "int" else _real(kind, text)
        except ValueError:
            self._note(
                place,
                path,
                "value_not_read",
                f"{text} is no value that can be read here",
                "write it in quotes if it is text",
            )
            return text

    def _note(self, place: Place, path: Path, code: str, message: str, hint: str) -> None:
        self.problems.append(Problem(place, path, code, message, hint))


def _real(kind: str, text: str) -> float:
    """A finite number; what is none, or has a tag of its own, is a ValueError."""
    number = float(text.replace("_", "")) if kind == "float" else nan
    if not isfinite(number):
        raise ValueError(text)
    return number


def read_text(text: str) -> tuple[Any, SourceMap, list[Problem]]:
    """The data of a file, where its parts stand, and what is wrong with the text."""
    lines = tuple(text.splitlines())
    reader = Reader(SourceMap(lines=lines))
    try:
        data = reader.read(compose(text), ())
    except TextError as error:
        return None, reader.map, [*reader.problems, error.problem]
    return data, SourceMap(reader.places, reader.texts, lines), reader.problems
