"""The audiences of `parcours simulate`: their files, and files of who is on a list."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from audiences.catalog import Catalog
from audiences.definition import AUDIENCE, AnyAudience
from audiences.document import KEY
from audiences.simulated import SimulatedAudiences
from cli.audience.files import load
from cli.errors import CommandError
from cli.files import read_file
from journeys.text import read_text

SUFFIXES = {".yaml", ".yml", ".json"}
COLUMN = "user_id"


def groups_of(paths: Sequence[Path], lists: Sequence[str]) -> SimulatedAudiences | None:
    """The audiences that were given; None where none was. Raises CommandError."""
    if not paths and not lists:
        return None
    audiences = {one.audience: one for one in read(paths)}
    members = dict(map(members_of, lists))
    for name in members:
        there = audiences.setdefault(name, list_named(name))
        if there.kind != "list":
            raise CommandError(f"--list {name}=…: audience {name!r} is a {there.kind}, no list")
    catalog = Catalog(audiences)
    for one in audiences.values():
        if (way := catalog.cycle(one)) is not None:
            raise CommandError(f"audiences go in a circle: {' → '.join(way)}")
    return SimulatedAudiences(catalog, members)


def read(paths: Sequence[Path]) -> Iterator[AnyAudience]:
    """The audiences of these files and folders."""
    loaded = load([file for path in paths for file in files_in(path)])
    wrong = [str(finding) for one in loaded for finding in one.findings
             if finding.severity == "error"]  # fmt: skip
    if wrong:
        raise CommandError("\n".join(["the audiences have errors", *wrong]))
    seen: dict[str, Path] = {}
    for one in loaded:
        name = one.audience.audience
        if name in seen:
            raise CommandError(f"{one.path} and {seen[name]} both define audience {name!r}")
        seen[name] = one.path
        yield one.audience


def files_in(path: Path) -> list[Path]:
    """The audience files of a folder, or the file itself."""
    if not path.is_dir():
        return [path]
    found = [one for one in sorted(path.rglob("*")) if one.suffix in SUFFIXES and is_audience(one)]
    if not found:
        raise CommandError(f"{path}: no file in this folder holds an audience")
    return found


def is_audience(path: Path) -> bool:
    """Whether a file is about an audience, sound or not."""
    try:
        data, _, _ = read_text(read_file(path))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and KEY in data


def list_named(name: str) -> AnyAudience:
    """A list of that name; raises CommandError where none can be called so."""
    try:
        return AUDIENCE.validate_python({"audience": name, "kind": "list"})
    except ValueError as error:
        raise CommandError(
            f"--list {name}=…: no audience can be called {name!r}; "
            "small letters, digits and hyphens make a name"
        ) from error


def members_of(given: str) -> tuple[str, frozenset[str]]:
    """The list that `NAME=FILE` names, and the user ids in the file."""
    name, sign, path = given.partition("=")
    if not sign or not path:
        raise CommandError(f"--list {given!r}: write it as NAME=FILE, like newsletter=ids.txt")
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        said = "there is no such file" if isinstance(error, FileNotFoundError) else error
        said = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else said
        raise CommandError(f"--list {given}: {path} cannot be read: {said}") from error
    return name, frozenset(user_ids(text))


def user_ids(text: str) -> Iterator[str]:
    """One a line, or the column `user_id` of a CSV file such as `audience export` writes."""
    lines = text.splitlines()
    header = next(csv.reader(lines[:1]), [])
    if COLUMN in header:
        yield from (row[COLUMN] for row in csv.DictReader(lines) if row[COLUMN])
    else:
        yield from (line.strip() for line in lines if line.strip())
