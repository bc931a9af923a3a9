"""The command line's edge: whatever goes wrong is a text and an exit code, never a stack trace."""

import pkgutil
import sys

import pytest

from cli import main as command_line
from cli.commands import COMMANDS, GROUPS
from cli.errors import CommandError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["parcours", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return ended.value.code


def test_unknown_command_is_a_mistake_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "fly") == 2
    assert "No such command 'fly'" in capsys.readouterr().err


def test_bad_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARCOURS_HTTP_PORT", "eighty")

    assert run(monkeypatch, "migrate") == 1
    said = capsys.readouterr().err
    assert said.startswith("parcours: PARCOURS_HTTP_PORT ('eighty'): ")
    assert "Traceback" not in said


def test_what_we_raise_is_shown_as_it_reads() -> None:
    assert command_line.explain(CommandError("the cart is empty")) == "the cart is empty"


def test_file_that_is_not_there_is_named() -> None:
    missing = FileNotFoundError(2, "No such file or directory", "welcome.yaml")

    assert command_line.explain(missing) == "welcome.yaml: No such file or directory"


def test_unexpected_error_says_where_it_came_from() -> None:
    with pytest.raises(KeyError) as raised:
        raise KeyError("surprise")

    assert "test_main.py:" in command_line.explain(raised.value)


def test_every_command_is_at_its_place() -> None:
    every = [*COMMANDS.values(), *(one for group, _ in GROUPS.values() for one in group.values())]

    assert all(callable(pkgutil.resolve_name(command.place)) for command in every)
