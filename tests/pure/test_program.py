"""Finding the `temporal` program: what is refused, what is passed over, what is said."""

from pathlib import Path

import pytest

from embedded import program
from embedded.errors import ProgramMissingError


def fake(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho 'temporal version 1.0.0 (Server {version}, UI 2.0.0)'\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any of it: nothing on PATH, nothing cached, no network, no modules."""
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setattr(program, "SOURCE", tmp_path / "nowhere")
    return empty


def test_named_program_is_used(tmp_path: Path) -> None:
    named = fake(tmp_path / "mine", "1.32.0")

    assert program.find(named) == named


def test_named_program_that_is_too_old_is_refused(tmp_path: Path) -> None:
    named = fake(tmp_path / "mine", "1.31.2")

    with pytest.raises(
        ProgramMissingError, match=r"PARCOURS_TEMPORAL_CLI: .* too old: Server 1\.31"
    ):
        program.find(named)


def test_program_on_path_is_used(nothing_there: Path) -> None:
    on_path = fake(nothing_there / "temporal", "1.40.1")

    assert program.find() == on_path


def test_every_way_that_was_tried_is_named(nothing_there: Path) -> None:
    fake(nothing_there / "temporal", "1.30.0")

    with pytest.raises(ProgramMissingError) as refused:
        program.find(note=lambda text: None)

    said = str(refused.value)
    assert "on PATH: " in said
    assert "too old: Server 1.30" in said
    assert "built here before: its Go modules are not in" in said
    assert "the SDK's download: " in said
    assert "a build with Go: " in said
    assert "PARCOURS_TEMPORAL_CLI" in said


def test_build_is_kept_under_the_sum_of_its_modules(
    monkeypatch: pytest.MonkeyPatch, nothing_there: Path, tmp_path: Path
) -> None:
    source = tmp_path / "modules"
    source.mkdir()
    for name in ("go.mod", "go.sum"):
        (source / name).write_text("one")
    monkeypatch.setattr(program, "SOURCE", source)
    made = fake(tmp_path / "made", "1.32.0")
    # A compiler that copies: `go build -trimpath -ldflags '…' -o OUTPUT MODULE`.
    compiler = nothing_there / "go"
    compiler.write_text(f'#!/bin/sh\n/bin/cp {made} "$6"\n')
    compiler.chmod(0o755)
    said: list[str] = []

    first = program.find(note=said.append)
    again = program.find(note=said.append)
    (source / "go.sum").write_text("two")
    changed = program.find(note=said.append)

    assert first == again != changed
    assert len(said) == 2
