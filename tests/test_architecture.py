"""The shape of the program: what a linter cannot hold."""

import ast
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from journeys.fields import KINDS

ROOT = Path(__file__).parents[1]
OURS = [
    "activities", "api", "audiences", "bench", "channels", "cli", "embedded", "expressions",
    "journeys", "routing", "storage", "workflows", "clock", "settings", "task_queues",
    "telemetry", "wiring", "worker",
]  # fmt: skip
LONGEST = 220
KNOWS_KINDS = ("journeys/steps/", "journeys/checks/")


def files(*tops: str) -> Iterator[Path]:
    """Every Python file of ours under these names."""
    for top in tops:
        yield from (
            [ROOT / f"{top}.py"]
            if (ROOT / f"{top}.py").exists()
            else sorted(
                path for path in (ROOT / top).rglob("*.py") if "generated" not in path.parts
            )
        )


PROGRAM = list(files(*OURS))
EVERYTHING = [*PROGRAM, *files("tests")]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), "a module opens with a docstring"


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_every_file_fits_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", PROGRAM, ids=name)
def test_nobody_asks_a_step_for_its_kind(path: Path) -> None:
    if name(path).startswith(KNOWS_KINDS):
        return

    named = list(kinds_compared(ast.parse(path.read_text("utf-8"))))

    assert named == [], "a new kind of step must not have to be named here"


def kinds_compared(tree: ast.AST) -> Iterator[str]:
    """Kinds of steps that something called `kind` is compared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(map(is_kind, [node.left, *node.comparators])):
            yield from constants([node.left, *node.comparators])
        if isinstance(node, ast.Match) and is_kind(node.subject):
            yield from constants([case.pattern for case in node.cases])


def is_kind(node: ast.AST) -> bool:
    """`kind`, `step.kind` or `step["kind"]`."""
    match node:
        case ast.Name(id="kind") | ast.Attribute(attr="kind"):
            return True
        case ast.Subscript(slice=ast.Constant(value="kind")):
            return True
        case _:
            return False


def constants(nodes: list[ast.expr] | list[ast.pattern]) -> Iterator[str]:
    """The kinds of steps among all string constants."""
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and part.value in KINDS:
                yield str(part.value)


@pytest.mark.parametrize("top", [*OURS, "tests"])
def test_no_library_brings_a_module_of_our_name(top: str) -> None:
    owners = set(packages_distributions().get(top, [])) - {"parcours"}

    assert owners == set(), f"installing {owners} could hide our {top!r}"
