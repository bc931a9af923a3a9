"""What the docs say is so: examples are sound, and commands, settings, routes and links exist."""

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer.main
from fastapi.routing import APIRoute
from typer.core import TyperGroup

from api.app import create_app
from api.routes import tracking
from audiences.catalog import Catalog
from audiences.check import check_document as check_audience
from audiences.document import read as read_audience
from cli.commands import COMMANDS, GROUPS, command_line
from journeys.check import check_document
from journeys.document import Document, read
from journeys.fields import KINDS, PARTS
from journeys.liquid.checks import PARTS as TEMPLATE_PARTS
from journeys.steps.send import Send
from journeys.templates import Template
from settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md"))]  # fmt: skip
TEXTS = {path: path.read_text("utf-8") for path in DOCS}
GUIDE = ROOT / "docs" / "journey-file.md"
EACH = pytest.mark.parametrize("path", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
SETTING = re.compile(rf"{PREFIX}([A-Z_]*[A-Z])(_\*)?")
ROUTE = re.compile(
    r"`(?:(GET|POST|PUT|DELETE) )?(/(?:v1|ofrep|health|api|sourceConfig)\b[^`\s?]*)`"
)
FRAGMENT = "journey: example\nentry: {event: Begun}\nsteps:\n"

DESCRIBED = create_app(Settings.model_construct()).openapi()["paths"]
ROUTES = {path: {method.upper() for method in methods} for path, methods in DESCRIBED.items()}
ROUTES |= {route.path: {"POST"} for route in tracking.router.routes if isinstance(route, APIRoute)
           and route.path not in ROUTES}  # fmt: skip


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    return [text for found, text in BLOCK.findall(TEXTS[path]) if found == language]


# Examples --------------------------------------------------------------------------

YAML = [(path, text) for path in DOCS for text in blocks(path, "yaml")]
AUDIENCES = [(path, text) for path, text in YAML if text.startswith("audience:")]
JOURNEYS = [one for one in YAML if one not in AUDIENCES]


@pytest.mark.parametrize(("path", "text"), AUDIENCES, ids=lambda one: str(one)[:40])
def test_audience_in_the_docs_has_no_error(path: Path, text: str) -> None:
    findings = check_audience(read_audience(text, path.name), Catalog(), partial=True)

    assert [str(finding) for finding in findings] == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "audiences").glob("*.yaml")))
def test_example_audience_has_no_error(path: Path) -> None:
    findings = check_audience(read_audience(path.read_text("utf-8"), path.name), Catalog(),
                              partial=True)  # fmt: skip

    assert [str(finding) for finding in findings if finding.severity == "error"] == []


@pytest.mark.parametrize(("path", "text"), JOURNEYS, ids=lambda one: str(one)[:40])
def test_journey_in_the_docs_has_no_error(path: Path, text: str) -> None:
    if text.startswith("- "):
        text = FRAGMENT + "".join(f"  {line}\n" for line in text.splitlines())
    if all(line.startswith("#") for line in text.splitlines()):
        return

    document = read(text, path.name)
    findings = check_document(document, templates_of(document))

    assert [str(finding) for finding in findings if finding.severity == "error"] == []


def templates_of(document: Document) -> dict[str, Template]:
    """A template with a word in each part, for every one that is sent."""
    sends = (
        [step for step in document.draft.steps if isinstance(step, Send)]
        if (document.draft)
        else []
    )
    return {
        step.template: Template(
            name=step.template,
            channel=step.channel,
            parts={part: "A word." for choice in TEMPLATE_PARTS[step.channel] for part in choice},
        )
        for step in sends
    }


@pytest.mark.parametrize("kind", KINDS)
def test_guide_has_every_field_and_exit_of_a_step(kind: str) -> None:
    section = TEXTS[GUIDE].partition(f"### `{kind}`\n")[2].partition("\n### ")[0]

    fields = set(KINDS[kind].model_fields) - {"id", "kind", "then", "set"}

    assert [name for name in sorted(fields) if f"`{name}`" not in section] == []
    assert "Exits" in section or kind == "end"


@pytest.mark.parametrize("model", PARTS.values(), ids=lambda model: model.__name__)
def test_guide_has_every_field_of_the_parts(model: type) -> None:
    fields = [field.alias or name for name, field in getattr(model, "model_fields").items()]  # noqa: B009

    assert [name for name in fields if not re.search(rf"[`{{ ]{name}\b", TEXTS[GUIDE])] == []


# Commands --------------------------------------------------------------------------


def lines(path: Path) -> Iterator[str]:
    """The shell commands of a page, without their continuation lines' breaks."""
    for block in [*blocks(path, "sh"), *blocks(path, "console")]:
        yield from block.replace("\\\n", " ").splitlines()


@EACH
def test_commands_exist(path: Path) -> None:
    named = {*COMMANDS, *GROUPS, *(name for group, _ in GROUPS.values() for name in group)}
    group = typer.main.get_command(command_line(named))
    assert isinstance(group, TyperGroup)
    for line in lines(path):
        if not re.match(r"(\$ )?\S*parcours ", line):
            continue
        words = shlex.split(line.removeprefix("$ "), comments=True)
        command = group.commands[words[1]]
        if isinstance(command, TyperGroup):
            command = command.commands[words[2]]
        known = {option for one in command.params for option in one.opts}
        assert [word for word in words[2:] if word.startswith("-") and word not in known] == []


@EACH
def test_make_targets_exist(path: Path) -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"^make ([a-z]+)", "\n".join(lines(path)), re.MULTILINE)

    assert set(named) <= made


def test_every_command_is_in_the_docs() -> None:
    group = typer.main.get_command(command_line(COMMANDS))
    assert isinstance(group, TyperGroup)
    everything = "\n".join(TEXTS.values())

    assert [name for name in group.commands if f"parcours {name}" not in everything] == []


# Settings, routes, links -----------------------------------------------------------


@EACH
def test_settings_exist(path: Path) -> None:
    known = {name.upper() for name in Settings.model_fields}
    for name, family in SETTING.findall(TEXTS[path]):
        assert name in known or (family and any(one.startswith(f"{name}_") for one in known))


def test_operating_lists_every_setting_with_its_default() -> None:
    rows = [line for line in TEXTS[ROOT / "docs" / "operating.md"].splitlines()
            if line.startswith(f"| `{PREFIX}")]  # fmt: skip

    assert rows == [
        f"| `{PREFIX}{name.upper()}` | {shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def shown(default: object) -> str:
    """A default as one writes it."""
    if default is None:
        return ""
    if isinstance(default, timedelta):
        return f"`{default.days}d`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@EACH
def test_routes_exist(path: Path) -> None:
    for method, route in ROUTE.findall(TEXTS[path]):
        assert route in ROUTES
        assert not method or method in ROUTES[route]


@EACH
def test_routes_of_curl_exist(path: Path) -> None:
    for call in "\n".join(blocks(path, "sh")).split("curl ")[1:]:
        found = re.search(r"http://localhost:8080(/[^\s\"?]*)", call)
        assert found is not None, call
        method = given[1] if (given := re.search(r"-X (\w+)", call)) else None
        method = method or ("POST" if " -d " in call else "GET")
        assert any(
            method in methods and re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), found[1])
            for known, methods in ROUTES.items()
        ), f"{method} {found[1]}"


def test_every_route_is_in_the_overview() -> None:
    named = {route for _, route in ROUTE.findall(TEXTS[ROOT / "docs" / "http-api.md"])}

    assert sorted(set(DESCRIBED) - named) == []


@EACH
def test_links_lead_somewhere(path: Path) -> None:
    targets = LINK.findall(TEXTS[path])

    assert [target for target in targets if not (path.parent / target).exists()] == []
