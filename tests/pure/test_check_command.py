"""`parcours check`, `show` and `diff` on files."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import check, diff, schema, show
from cli.files import BrokenJourneyError

WIN_BACK = Path(__file__).parents[2] / "examples" / "win-back.yaml"


@pytest.fixture
def app() -> typer.Typer:
    """The commands of this test."""
    app = typer.Typer()
    app.command("check")(check.command)
    app.command("show")(show.command)
    app.command("diff")(diff.command)
    app.command("schema")(schema.command)
    return app


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file with an error and a warning."""
    path = tmp_path / "broken.yaml"
    path.write_text(
        "journey: broken\nentry: {event: X}\nexits: [{event: X}]\n"
        "steps: [{id: a, kind: branch, branches: {b: customer.x = 1.0}}]\n"
    )
    return path


def run(app: typer.Typer, *arguments: str | Path) -> tuple[int, str]:
    """The exit code and what was printed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_sound_file_passes_with_a_summary(app: typer.Typer) -> None:
    assert run(app, "check", WIN_BACK) == (0, "1 file checked, nothing wrong\n")


def test_a_broken_file_fails_with_place_caret_and_summary(app: typer.Typer, broken: Path) -> None:
    code, said = run(app, "check", WIN_BACK, broken)

    assert code == 1
    assert f"{broken}:3: warning: the next 'X' ends what a 'X' began" in said
    assert f"{broken}:4: error: step 'a': `=` is not an operator" in said
    assert "customer.x = 1.0\n                 ^\n" in said
    assert said.endswith("2 files checked: 1 error, 1 warning\n")


def test_findings_come_as_json_for_machines(app: typer.Typer, broken: Path) -> None:
    code, said = run(app, "check", broken, "--format", "json")

    assert code == 1
    assert [(one["line"], one["code"]) for one in json.loads(said)] == [
        (3, "exit_on_entry"), (4, "expression"),
    ]  # fmt: skip


def test_a_file_that_is_not_there_or_no_text_is_a_finding(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "picture.yaml").write_bytes(b"\xff\xfe\x00")

    code, said = run(app, "check", tmp_path / "gone.yaml", tmp_path / "picture.yaml", tmp_path)

    assert code == 1
    assert said.count("this file cannot be read") == 3


def test_show_prints_an_outline_or_a_picture(app: typer.Typer) -> None:
    assert run(app, "show", WIN_BACK)[1].startswith("win-back (marketing, at most once)\n")
    assert run(app, "show", WIN_BACK, "--mermaid")[1].startswith("flowchart TD\n")


def test_a_broken_file_is_not_shown(broken: Path) -> None:
    with pytest.raises(BrokenJourneyError, match="is not an operator"):
        show.find(str(broken))


def test_a_published_journey_is_fetched_by_name_and_version() -> None:
    asked: list[tuple[str, int | None]] = []

    def fetch(name: str, version: int | None) -> tuple[dict[str, object], dict[str, object]]:
        asked.append((name, version))
        journey, templates = show.find(str(WIN_BACK))
        return (
            journey.model_dump(mode="json", by_alias=True),
            {name: template.model_dump(mode="json") for name, template in templates.items()},
        )

    assert show.find("win-back@3", fetch) == show.find(str(WIN_BACK))
    assert asked == [("win-back", 3)]


def test_a_file_does_not_differ_from_itself(app: typer.Typer) -> None:
    assert run(app, "diff", WIN_BACK, WIN_BACK) == (0, "no difference\n")
