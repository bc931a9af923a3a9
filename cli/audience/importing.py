"""`parcours audience import`: the customers of a CSV file join a list, or leave it."""

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from audiences.imports.options import (
    ID_KINDS,
    LOOKED_UP,
    NAME_LENGTH,
    BadHeader,
    Mode,
    Options,
    ValueType,
    columns,
)
from cli.audience.table_file import ROWS, TableFile
from cli.audience.upload import Upload
from cli.check import count
from cli.client import Key, Url, server
from cli.errors import CommandError
from cli.reports.phrases import many, moment

TYPES: dict[str, ValueType] = {"text": "text", "number": "number", "boolean": "boolean"}
MANY = 20_000  # rows of a chunk where each chunk looks at all customers for an attribute
HINT = "--map 'HEADER=NAME' names a column, --map 'HEADER=' leaves one out, --id says the id"

Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="HEADER=NAME[:TYPE]",
        help="Column HEADER is the attribute NAME (or user_id, anonymous_id); text, number or "
        "boolean where values must be it. `HEADER=` leaves it out. Can be repeated.",
    ),
]


def command(
    audience: Annotated[str, typer.Argument(metavar="AUDIENCE", help="A list.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="UTF-8, with a header.")],
    map: Map = None,
    id: Annotated[
        str, typer.Option(help="What names a customer: user_id, anonymous_id or an attribute.")
    ] = "user_id",
    create: Annotated[
        bool | None,
        typer.Option(
            "--create/--match-only", help="Make customers who are not there (the default), or not."
        ),
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Join the list (the default).")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Join it, and all others leave it at the end.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Leave the list.")] = False,
    errors: Annotated[
        Path | None,
        typer.Option(help="Where rows that are not taken are listed. [default: FILE.errors.csv]"),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Import a file once more that was imported before.")
    ] = False,
    url: Url = None,
    key: Key = None,
) -> None:
    if not file.is_file():
        raise CommandError(f"{file}: there is no such file")
    table = TableFile(file, ROWS if id in {*ID_KINDS, *LOOKED_UP} else MANY)
    options = options_of(table, map or [], id, create, mode_of(add, replace, remove))
    upload = Upload(server(url, key), audience, table)
    name = file.name.encode(errors="backslashreplace").decode()[-NAME_LENGTH:]
    begun = upload.start({**options.model_dump(mode="json"), "name": name, "again": again})
    answer = begun if begun["state"] == "completed" else shown(upload, begun)
    if answer is begun:
        at = moment(datetime.fromisoformat(begun["completed_at"]))
        sys.stdout.write(
            f"{file} was imported into {audience} at {at}, with the same options; nothing is done "
            "now, --again imports it once more\n"
        )
    sys.stdout.write(summary(answer["counts"]) + "\n")
    if answer["counts"]["failed"]:
        target = errors or file.with_name(f"{file.stem}.errors.csv")
        written = write_errors(upload, begun["id"], target)
        sys.stdout.write(f"{count(written, 'row')} not taken: {target} says why\n")


def mode_of(add: bool, replace: bool, remove: bool) -> Mode:
    """What becomes of the list."""
    if add + replace + remove > 1:
        raise CommandError("--add, --replace and --remove exclude each other")
    return "replace" if replace else "remove" if remove else "add"


def options_of(
    table: TableFile, maps: list[str], id: str, create: bool | None, mode: Mode
) -> Options:
    """The options that go with the file; CommandError where they do not fit it."""
    names: dict[str, str | None] = {}
    types: dict[str, ValueType] = {}
    for one in maps:
        header, sign, name = one.rpartition("=")
        if not sign:
            raise CommandError(
                f"--map {one!r}: write it as HEADER=NAME, or HEADER= to leave it out"
            )
        name, type = typed(name.strip())
        names[header.strip()] = name or None
        if type is not None:
            types[name] = type
    try:
        options = Options(
            file=table.name,
            id=id,
            map=names,
            types=types,
            create=id in ID_KINDS and mode != "remove" if create is None else create,
            mode=mode,
        )
        columns(table.header.values, options)
    except ValidationError as error:
        said = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise CommandError(said) from error
    except BadHeader as error:
        raise CommandError(f"{table.path}:1: {error} ({HINT})") from error
    return options


def typed(name: str) -> tuple[str, ValueType | None]:
    """`zip:text` is the attribute zip, of text."""
    head, _, tail = name.rpartition(":")
    return (head, TYPES[tail]) if head and tail in TYPES else (name, None)


def shown(upload: Upload, begun: dict[str, Any]) -> dict[str, Any]:
    """Send everything, with a progress bar on a terminal."""
    console = Console(stderr=True)
    bar = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    if begun["done"]:
        sys.stdout.write(f"going on: {many(begun['counts']['rows'])} rows were taken before\n")
    with Progress(
        *bar, console=console, disable=not console.is_terminal, transient=True
    ) as progress:
        task = progress.add_task(upload.file.path.name, total=upload.file.size, rows=0, rate=0.0)
        rows = 0

        def advance(count: int, size: int) -> None:
            nonlocal rows
            rows += count
            rate = rows / max(progress.tasks[0].elapsed or 0, 0.001)
            progress.update(task, advance=size, rows=rows, rate=rate)

        return upload.run(begun, advance)


def summary(counts: dict[str, int]) -> str:
    """What has become of the rows."""
    said = (
        f"{count(counts['rows'], 'row')}: {count(counts['created'], 'customer')} made, "
        f"{many(counts['matched'])} matched, {many(counts['failed'])} not taken; "
        f"{many(counts['joined'])} joined"
    )
    return f"{said}, {many(counts['left'])} left" if counts["left"] else said


def write_errors(upload: Upload, id: str, target: Path) -> int:
    """List every row that was not taken, with its value and what to do; how many there are."""
    found = list(upload.errors(id))
    places = [(one["line"], one["column"]) for one in found]
    with target.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["line", "column", "value", "what is wrong", "what to do"])
        for one, value in zip(found, upload.file.values(places), strict=True):
            out.writerow([one["line"], one["column"], value, one["wrong"], one["todo"]])
    return len(found)
