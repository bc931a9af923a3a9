"""One tracking request from key to answer; what its body looks like is left to the readers."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from api.tracking import answers, auth, batch, cloud, segment
from api.tracking.body import Body, parse, read
from api.tracking.errors import BadItem, Refusal
from api.tracking.ingest import Ingest, RowsRefused
from api.tracking.limits import check
from api.tracking.times import parse_instant
from journeys.event import Event

Opened = tuple[list[object], Callable[[object], Event], int]
Opener = Callable[[Body, datetime], Opened]


async def receive(request: Request, opener: Opener) -> Response:
    """Take the request's events and answer for each."""
    ingest: Ingest = request.app.state.ingest
    has_key = await auth.has_write_key(ingest.keys, request)
    raw = await read(request)
    body = cloud.from_binary(request.headers, raw) if is_binary(request, opener) else parse(raw)
    await auth.require(ingest.keys, has_key, body.value)
    items, reader, shared = opener(body, ingest.clock.now())
    batch.check_count(items, shared)
    reading = await batch.read_all(items, reader)
    await store(ingest, reading)
    return answers.accepted(request, reading.findings)


def is_binary(request: Request, opener: Opener) -> bool:
    """Whether this is a CloudEvent whose attributes are headers."""
    return opener is open_cloud and cloud.is_binary(request.headers)


async def store(ingest: Ingest, reading: batch.Reading) -> None:
    """Store the good items; a row that the database refuses joins the bad ones."""
    try:
        await ingest.accept(reading.events)
    except RowsRefused as error:
        for event, index in zip(reading.events, reading.places, strict=True):
            if event.id in error.refused:
                message = error.refused[event.id]
                found = batch.Finding(index, event.message_id, "unfit", message)
                reading.findings.append(found)
        reading.findings.sort(key=lambda finding: finding.index)


def open_single(kind: str) -> Opener:
    """Opens the body of a route that takes one event of this kind."""

    def opened(body: Body, now: datetime) -> Opened:
        if not isinstance(body.value, dict):
            raise Refusal(400, "malformed_body", "the body is not a JSON object")
        envelope = segment.Envelope(now, None, {}, body.is_suspect)
        return [body.value], lambda item: segment.read_item(item, kind, envelope), 0

    return opened


def open_batch(body: Body, now: datetime) -> Opened:
    """Opens the body of a batch: items, each with its type, and what they share."""
    value = body.value
    if not isinstance(value, dict) or not isinstance(value.get("batch"), list):
        raise Refusal(400, "malformed_body", "the body is not an object with an array 'batch'")
    try:
        context = segment.part(value, "context")
        shared = check(context, is_suspect=body.is_suspect) if context else 0
        sent = parse_instant(value.get("sentAt"), "sentAt")
    except BadItem as error:
        raise Refusal(400, error.code, f"batch: {error.message}") from error
    envelope = segment.Envelope(now, sent, context, body.is_suspect)
    return value["batch"], lambda item: segment.read_item(item, None, envelope), shared


def open_cloud(body: Body, now: datetime) -> Opened:
    """Opens a CloudEvent or a batch of them."""
    items = cloud.items_of(body)
    return items, lambda item: cloud.read_event(item, now, is_suspect=body.is_suspect), 0
