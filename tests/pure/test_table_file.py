"""`parcours audience import` before it asks a server: the file, its chunks, the options."""

from pathlib import Path

import pytest

from audiences.imports.options import Options
from audiences.imports.rows import read_csv
from cli.audience import importing, table_file
from cli.audience.table_file import TableFile
from cli.errors import CommandError


def table(folder: Path, content: bytes) -> TableFile:
    path = folder / "people.csv"
    path.write_bytes(content)
    return TableFile(path)


def test_chunks_have_every_row_with_its_line(tmp_path: Path) -> None:
    count = table_file.ROWS + 10
    rows = [b'u%d,"a\nb"\r\n\r\n' % number for number in range(count)]
    file = table(tmp_path, b"\xef\xbb\xbfuser_id,note\r\n" + b"".join(rows) + b'bad,"x"y\nlast,x')

    pieces = list(file.pieces())

    read = [read_csv(one.content, Options(file="x"), one.line) for one in pieces]
    assert [one.rows for one in pieces] == [table_file.ROWS, 12]
    assert [(row.id, row.line) for rows in read for row in rows.good] == [
        *((f"u{number}", 2 + 3 * number) for number in range(count)),
        ("last", 3 + 3 * count),
    ]
    assert [flaw.line for rows in read for flaw in rows.flaws] == [2 + 3 * count]


def test_wide_rows_make_small_chunks(tmp_path: Path) -> None:
    wide = b"u,%s\n" % (b"x" * 9_000)
    pieces = list(table(tmp_path, b"user_id,note\n" + 900 * wide).pieces())

    assert max(len(one.content) for one in pieces) < table_file.BYTES + 100
    assert sum(one.rows for one in pieces) == 900


def test_a_line_without_end_costs_one_row_and_no_memory(tmp_path: Path) -> None:
    file = table(tmp_path, b"user_id\na\n" + b"x" * 2_000_000 + b"\nb\n")

    [piece] = file.pieces()

    assert len(piece.content) < 600_000
    found = read_csv(piece.content, Options(file="x"), piece.line)
    assert [row.line for row in found.good] == [2, 4]
    assert [tuple(flaw) for flaw in found.flaws] == [(3, None, "too_long")]


def test_values_of_flaws_are_looked_up_in_the_file(tmp_path: Path) -> None:
    file = table(tmp_path, b'user_id,city\na,K\xf6ln\n\nb\nc,"x"y\nd,' + b"z" * 300 + b"\n")
    places = [(2, "city"), (4, None), (5, None), (6, "city"), (9, None)]

    assert list(file.values(places)) == ["K?ln", "b", 'c,"x"y', "z" * 199 + "…", ""]


@pytest.mark.parametrize(("content", "said"), [
    ("user_id\nx\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    (b"", "people.csv:1: the file has no header"),
    (b'"user_id\n', "people.csv:1: the header cannot be read"),
])  # fmt: skip
def test_a_file_that_is_no_csv_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        assert table(tmp_path, content).header


def test_options_are_read_from_the_command_line(tmp_path: Path) -> None:
    file = table(tmp_path, b"No;A=B;junk\n")

    maps = ["No=user_id", "A=B=zip:text", "junk="]
    options = importing.options_of(file, maps, "user_id", None, "replace")

    assert options.model_dump(exclude={"file"}) == {
        "id": "user_id", "map": {"No": "user_id", "A=B": "zip", "junk": None},
        "types": {"zip": "text"}, "create": True, "mode": "replace",
    }  # fmt: skip


@pytest.mark.parametrize(("maps", "id", "create", "said"), [
    (["No"], "user_id", None, "write it as HEADER=NAME"),
    ([], "user_id", None, r"people.csv:1: no column is the 'user_id'.*--map 'HEADER=NAME'"),
    (["Mail=email"], "email", True, "can only be matched"),
    (["Male=email"], "email", None, "the header has no column 'Male'; it has 'No', 'Mail'"),
])  # fmt: skip
def test_options_that_do_not_fit_the_file_are_explained(
    tmp_path: Path, maps: list[str], id: str, create: bool | None, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        importing.options_of(table(tmp_path, b"No,Mail\n"), maps, id, create, "add")


def test_modes_exclude_each_other() -> None:
    with pytest.raises(CommandError, match="exclude each other"):
        importing.mode_of(add=True, replace=False, remove=True)
