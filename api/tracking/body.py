"""From the bytes of a request to its JSON: bounded, gunzipped, never judged by Content-Type."""

import json
import zlib
from dataclasses import dataclass

import orjson
from starlette.requests import Request

from api.tracking.errors import Refusal
from api.tracking.limits import BATCH_BYTES

GZIP = b"\x1f\x8b"
DRAIN = 32 * 1024 * 1024  # read on this far before a 413, so that the client hears it
INTEGER_DIGITS = 18  # what surely fits into 64 bits


@dataclass(frozen=True, slots=True)
class Body:
    """A parsed body, and whether values may hide in it that have to be looked for."""

    value: object
    is_suspect: bool


async def read(request: Request) -> bytes:
    """The body as it is meant, decompressed; 413 beyond 4 MB in either form."""
    raw = await read_raw(request)
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding in {"gzip", "x-gzip", "deflate"} or raw.startswith(GZIP):
        return decompress(raw)
    if coding not in {"identity", ""}:
        raise Refusal(415, "unknown_encoding", f"content encoding {coding!r} is not understood")
    return raw


async def read_raw(request: Request) -> bytes:
    """The bytes on the wire."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= BATCH_BYTES:
            chunks.append(chunk)
        elif size > DRAIN:
            break
    if size > BATCH_BYTES:
        raise too_large()
    return b"".join(chunks)


def too_large() -> Refusal:
    """The answer to a body over the limit."""
    return Refusal(413, "too_large", f"a body may have {BATCH_BYTES} bytes, also decompressed")


def decompress(raw: bytes) -> bytes:
    """Gunzip or inflate, and stop at the limit: a small body may unfold to gigabytes."""
    parts: list[bytes] = []
    room = BATCH_BYTES + 1
    try:
        while raw and room > 0:
            unpacker = zlib.decompressobj(wbits=47)  # gzip or zlib, whichever it says it is
            parts.append(unpacker.decompress(raw, room))
            room -= len(parts[-1])
            if room > 0 and not unpacker.eof:
                raise Refusal(400, "malformed_gzip", "the compressed body is cut short")
            raw = unpacker.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise Refusal(400, "malformed_gzip", f"the body cannot be decompressed: {error}") from error
    if room <= 0:
        raise too_large()
    return b"".join(parts)


def parse(raw: bytes) -> Body:
    """The JSON of a body.

    A NaN or half a surrogate pair, which Python's and the browsers' writers let through, must not
    spoil the other items: what orjson refuses is read once more by the lenient parser, and then
    each item is looked through.
    """
    try:
        return Body(orjson.loads(raw), b"\\u0000" in raw)
    except orjson.JSONDecodeError as error:
        lenient = parse_leniently(raw)
        if lenient is None:
            place = f"line {error.lineno}, column {error.colno}"
            raise Refusal(400, "malformed_json", f"{error.msg} at {place}") from error
        return lenient


def parse_leniently(raw: bytes) -> Body | None:
    """The JSON by Python's own parser, if that can read it."""
    try:
        text = raw.decode("utf-8-sig", errors="strict")
        return Body(json.loads(text, parse_int=number), is_suspect=True)
    except (ValueError, RecursionError):
        return None


def number(digits: str) -> int | float:
    """An integer, as a double where 64 bits do not hold it, just as orjson reads it."""
    return int(digits) if len(digits) <= INTEGER_DIGITS else float(digits)
