"""The tree of a YAML text, or what the parser stumbled over in our words."""

from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node

from journeys.source_map import Path, Place

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
TOO_BIG = "a journey has at most 200 steps; keep long content in templates"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the text itself, and where."""

    place: Place
    path: Path
    code: str
    message: str
    hint: str


class TextError(Exception):
    """The text cannot be read any further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def compose(text: str) -> Node:
    """The tree of the text."""
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise TextError(
            Problem(Place(1, 1), (), "too_big", "this file is larger than 1 MB", TOO_BIG)
        )
    as_json = text.lstrip().startswith(("{", "["))
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(
            text.replace("\t", " ") if as_json else text
        )
    except MarkedYAMLError as error:
        raise TextError(_syntax(error)) from error
    except YAMLError as error:
        said = str(error).splitlines()[0]
        raise TextError(
            Problem(
                Place(1, 1),
                (),
                "syntax",
                f"this is not YAML: {said}",
                "save the file as UTF-8 text",
            )
        ) from error
    except RecursionError as error:
        raise TextError(
            Problem(
                Place(1, 1),
                (),
                "too_deep",
                "this file is nested too deep",
                f"use at most {MAX_DEPTH} levels",
            )
        ) from error
    if node is None:
        raise TextError(
            Problem(
                Place(1, 1),
                (),
                "empty",
                "this file is empty",
                "write a journey: start with its name, 'journey: welcome'",
            )
        )
    return node


def _syntax(error: MarkedYAMLError) -> Problem:
    """What the parser stumbled over, in our words where we know better ones."""
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    said = str(error.problem or error.context)
    if "'\\t'" in said:
        return Problem(
            place, (), "syntax", "a tab stands where YAML wants spaces", "indent with spaces"
        )
    if "another document" in said:
        return Problem(
            place, (), "syntax", "a second document begins here", "write one journey a file"
        )
    if "mapping values" in said:
        return Problem(
            place,
            (),
            "syntax",
            "a colon stands where none can be",
            "check the indentation, and put text that contains ': ' in quotes",
        )
    return Problem(
        place,
        (),
        "syntax",
        f"this is not YAML: {said}",
        "check indentation, brackets and quotes on this line and the one before",
    )
