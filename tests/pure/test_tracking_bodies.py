"""What is made of the bytes of a tracking request."""

import gzip
import zlib

import pytest

from api.tracking.body import decompress, parse
from api.tracking.errors import Refusal
from api.tracking.limits import BATCH_BYTES


def test_json_is_parsed_and_not_suspect() -> None:
    body = parse(b'{"a": 1}')

    assert (body.value, body.is_suspect) == ({"a": 1}, False)


@pytest.mark.parametrize("raw", [rb'["\u0000"]', rb'["\ud800"]', b"[NaN]", b"[1e999]"])
def test_what_no_database_keeps_is_parsed_and_suspect(raw: bytes) -> None:
    assert parse(raw).is_suspect


def test_malformed_json_is_refused_with_its_place() -> None:
    with pytest.raises(Refusal, match="at line 2, column 5") as caught:
        parse(b'{"a":1,\n"b":}')

    assert (caught.value.status, caught.value.code) == (400, "malformed_json")


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[" * 100_000, b"[" + b"9" * 5000 + b"]]"])
def test_hopeless_bodies_are_refused(raw: bytes) -> None:
    with pytest.raises(Refusal):
        parse(raw)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse(b'\xef\xbb\xbf{"a": 1}').value == {"a": 1}


def test_gzip_in_members_and_deflate_are_unpacked() -> None:
    assert decompress(gzip.compress(b"one") + gzip.compress(b"two")) == b"onetwo"
    assert decompress(zlib.compress(b"three")) == b"three"


def test_a_body_of_exactly_the_limit_is_unpacked() -> None:
    assert len(decompress(gzip.compress(b" " * BATCH_BYTES))) == BATCH_BYTES


def test_a_bomb_is_refused_at_the_limit() -> None:
    with pytest.raises(Refusal) as caught:
        decompress(gzip.compress(b" " * (BATCH_BYTES + 1)))

    assert caught.value.status == 413


@pytest.mark.parametrize("raw", [b"plain", gzip.compress(b"cut" * 99)[:-20], b"\x1f\x8b"])
def test_broken_gzip_is_refused(raw: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        decompress(raw)

    assert caught.value.code == "malformed_gzip"
