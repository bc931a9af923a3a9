"""Reading imported files: records, columns, typed values, and what is wrong with a row."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.imports.flaws import RECORD_LINES, SAID
from audiences.imports.options import BadHeader, Options, columns
from audiences.imports.rows import read_csv
from audiences.imports.table import delimiter_of, records, split_lines
from audiences.imports.values import Unfit, value_in


def flaws(text: str | bytes, **options: Any) -> list[tuple[int, str | None, str]]:
    raw = text.encode() if isinstance(text, str) else text
    return [tuple(one) for one in read_csv(raw, Options(file="x", **options)).flaws]  # type: ignore[misc]  # of three


def ids(text: str) -> list[str]:
    return [row.id for row in read_csv(text.encode(), Options(file="x")).good]


@pytest.mark.parametrize(("text", "value"), [
    ("12", 12), ("-3.50", -3.5), ("1e3", 1000.0), ("007", "007"), ("+1", "+1"), ("1,5", "1,5"),
    ("1234567890123456", "1234567890123456"), ("TRUE", True), ("false", False), ("yes", "yes"),
    ("2026-02-28", "2026-02-28"), ("2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z"),
    ("1e999", "1e999"), ("NaN", "NaN"), ("\u0663", "\u0663"),
])  # fmt: skip
def test_a_value_has_the_type_it_looks_like(text: str, value: object) -> None:
    found = value_in(text, None, is_suspect=True)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("text", "type", "kind"), [
    ("1,5", "number", "not_number"), ("", "number", "not_number"),
    ("1e999", "number", "not_number"), ("1", "boolean", "not_boolean"),
    ("a\0b", "text", "unfit"), ("\udcff", "text", "not_text"),
    ("x" * 10_001, "text", "value_too_long"),
])  # fmt: skip
def test_a_value_of_another_type_than_wanted_is_refused(text: str, type: Any, kind: str) -> None:
    with pytest.raises(Unfit) as unfit:
        value_in(text, type, is_suspect=True)

    assert unfit.value.kind == kind
    assert kind in SAID


def test_a_wanted_type_wins_over_what_a_value_looks_like() -> None:
    assert value_in("12", "text", is_suspect=False) == "12"
    assert value_in("12345678901234567", "number", is_suspect=False) == 12345678901234567.0


@pytest.mark.parametrize(("header", "delimiter"), [
    ("a,b", ","), ("a;b,c;d", ";"), ("a\tb", "\t"), ("alone", ","), ('"a,b,c";d', ";"),
])  # fmt: skip
def test_the_header_says_how_values_are_delimited(header: str, delimiter: str) -> None:
    assert delimiter_of(header) == delimiter


def test_a_broken_quote_costs_one_row() -> None:
    text = 'user_id,note\na,"never closed\nb,fine\nc,"x"y\nd,"two\nlines"\ne,5" pipe\n'

    assert ids(text) == ["b", "d", "e"]
    assert flaws(text) == [(2, None, "quote"), (4, None, "quote")]


def test_a_quote_that_is_never_closed_swallows_nothing_more() -> None:
    more = "".join(f"u{number},x\n" for number in range(3 * RECORD_LINES))

    assert len(ids(f'user_id,note\na,"open\n{more}')) == 3 * RECORD_LINES
    assert flaws(f'user_id,note\na,"open\n{more}') == [(2, None, "too_long")]


def test_every_flaw_has_its_line_and_column() -> None:
    text = 'user_id,n\r\n,1\r\na,"1\r\n2"\r\nb,1,2\r\n\r\n' + "x" * 257 + ",1\r\nc,y\r\n"

    assert flaws(text, types={"n": "number"}) == [
        (2, "user_id", "no_id"), (3, "n", "not_number"), (5, None, "width"),
        (7, "user_id", "id_too_long"), (8, "n", "not_number"),
    ]  # fmt: skip


def test_bytes_that_are_no_utf8_cost_their_row_only() -> None:
    assert flaws(b"\xef\xbb\xbfuser_id,city\na,K\xf6ln\nb,K\xc3\xb6ln\n") == [
        (2, "city", "not_text")
    ]


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(cells, cells), max_size=20), st.sampled_from(",;\t"))
def test_whatever_csv_writes_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        rows
    )

    lines = split_lines(text.getvalue())
    found = list(records(lines, delimiter))

    assert [tuple(one.values) for one in found] == rows
    assert [one.line for one in found] == [
        1 + sum(len(before.lines) for before in found[:place]) for place in range(len(found))
    ]
    assert [line for one in found for line in one.lines] == lines


@given(st.text('ab,"\n', max_size=60), st.integers(1, 5))
def test_records_are_the_same_however_a_file_is_cut_between_them(text: str, size: int) -> None:
    whole = list(records(split_lines(text), ","))

    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    again = [
        one
        for piece in pieces
        for one in records([line for one in piece for line in one.lines], ",", piece[0].line)
    ]

    assert again == whole


@pytest.mark.parametrize(("header", "options", "said"), [
    (["a"], {}, "no column is the 'user_id' that names the customer; the header has 'a'"),
    (["user_id"], {"map": {"Mail": "email"}}, "the header has no column 'Mail'"),
    (["user_id", "x", "y"], {"map": {"x": "y"}}, "columns 'x', 'y' are all 'y'"),
    (["email", "user_id"], {"id": "email"}, "column 'user_id' is a user_id"),
    (["user_id", "K\udcf6ln"], {}, "save the file as UTF-8"),
    (["user_id", *map(str, range(200))], {}, "201 columns; 200 are allowed"),
])  # fmt: skip
def test_columns_that_do_not_come_out_are_named(
    header: list[str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadHeader, match=said):
        columns(header, Options(file="x", **options))


def test_columns_are_renamed_and_left_out() -> None:
    found = columns(
        ["No", "Mail", "", "junk"],
        Options(file="x", map={"No": "user_id", "Mail": "email", "junk": None}),
    )

    assert (found.id.place, [one.attribute for one in found.attributes]) == (0, ["email"])
