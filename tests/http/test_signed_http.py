"""Signed HTTP: verified by the reference library, and certain about what was not sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from standardwebhooks import Webhook

from channels import Route, open_providers
from channels.base import (
    Accepted,
    Commit,
    InvalidRouteError,
    OutcomeUnknown,
    PermanentFailure,
    RateLimited,
    TemporaryFailure,
    Withdrawn,
)
from channels.breaker import Breaker
from channels.guard import ForbiddenAddress, guarded_client, is_public
from channels.signed_http import LARGEST_ANSWER, SignedHttp
from tests.outgoing import Commits, Fetched, outgoing, source

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PHONE = "+49151000000"


class Gateway:
    """A raw HTTP server that keeps requests and says what it is told to."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.port = 0
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = dict(line.lower().split(": ", 1) for line in head)
            raw = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append((raw, body))
            if self.answer:
                writer.write(self.answer)
                await writer.drain()
            else:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def gateway(answer: bytes) -> AsyncIterator[Gateway]:
    server = Gateway(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await asyncio.sleep(0.02)


def answered(status: str, body: bytes = b"", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + body


async def send(port: int, commit: Commit, host: str = "127.0.0.1", allow: bool = True) -> object:
    provider = SignedHttp(
        f"http://{host}:{port}/sms", SECRET, allow_private=allow, timeout=timedelta(seconds=0.5)
    )
    message = outgoing(PHONE, channel="sms", parts={"text": "Hi ☕"}, sender="")
    try:
        return await provider.send(message, commit)
    finally:
        await provider.close()


async def test_request_is_verified_by_the_reference_library() -> None:
    async with gateway(answered("202 Accepted", b'{"id": "gw-1"}')) as server:
        accepted = await send(server.port, Commits())

    ((headers, body),) = server.requests
    verified = Webhook(SECRET).verify(body, headers)
    data = verified["data"] if isinstance(verified, dict) else json.loads(body)["data"]
    assert data["to"] == PHONE
    assert data["text"] == "Hi ☕"
    assert data["channel"] == "sms"
    assert data["metadata"]["journey"] == "welcome"
    assert headers["idempotency-key"] == headers["webhook-id"] == data["id"]
    assert getattr(accepted, "provider_id", None) == "gw-1"


async def test_messages_that_are_fetched_are_posted_each_once_or_withdrawn() -> None:
    async with gateway(answered("202 Accepted", b'{"id": "gw-1"}')) as server:
        provider = SignedHttp(f"http://127.0.0.1:{server.port}/sms", SECRET, allow_private=True)
        messages = [outgoing(PHONE, channel="sms", parts={"text": "Hi"}) for _ in range(60)]
        parcels = [Fetched(one, Commits(number != 7)) for number, one in enumerate(messages)]
        provider.pull(source(parcels))
        came_to = await asyncio.gather(*(one.came_to for one in parcels))
        await provider.close()

    posted = sorted(headers["webhook-id"] for headers, _ in server.requests)
    assert posted == sorted(str(one.id) for one in messages if one is not messages[7])
    assert [type(one) for one in came_to].count(Accepted) == 59
    assert isinstance(came_to[7], Withdrawn)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (answered("429 Slow", b"slow down"), RateLimited, "429 slow down"),
        (answered("500 Oops", b"a\nb\x1b[0m"), TemporaryFailure, "500 a b?"),
        (answered("408 Late"), TemporaryFailure, "408"),
        (answered("400 Bad", b"no such number"), PermanentFailure, "400 no such number"),
        (answered("410 Gone"), PermanentFailure, "410"),
        (answered("302 Found", headers="Location: http://x/\r\n"), PermanentFailure, "302"),
        (b"nonsense\r\n\r\n", OutcomeUnknown, "no answer"),
        (b"", OutcomeUnknown, "no answer: ReadTimeout"),
    ],
)
async def test_each_answer_has_its_meaning(answer: bytes, kind: type, words: str) -> None:
    async with gateway(answer) as server:
        with pytest.raises(kind) as raised:
            await send(server.port, Commits())

    assert raised.type is kind
    assert words in str(raised.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("is_date", "low", "high"), [(False, 120, 120), (True, 3500, 3600)])
async def test_retry_after_is_read_in_both_forms(is_date: bool, low: int, high: int) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    header = in_an_hour if is_date else "120"

    async with gateway(answered("429 Slow", headers=f"Retry-After: {header}\r\n")) as server:
        with pytest.raises(RateLimited) as raised:
            await send(server.port, Commits())

    assert raised.value.retry_after is not None
    assert timedelta(seconds=low) <= raised.value.retry_after <= timedelta(seconds=high)


@pytest.mark.parametrize("header", ["soon", "-5", "Mon, 01 Jan 2001 00:00:00 GMT", "9" * 30])
async def test_nonsense_in_retry_after_is_ignored(header: str) -> None:
    async with gateway(answered("503 Busy", headers=f"Retry-After: {header}\r\n")) as server:
        with pytest.raises(TemporaryFailure) as raised:
            await send(server.port, Commits())

    assert raised.value.retry_after is None


async def test_endless_answer_is_cut_and_still_accepted() -> None:
    async with gateway(answered("200 OK", b"x" * (LARGEST_ANSWER * 50))) as server:
        accepted = await send(server.port, Commits())

    assert len(getattr(accepted, "detail", "")) < 600


async def test_refused_commit_makes_no_request() -> None:
    async with gateway(answered("200 OK")) as server:
        with pytest.raises(Withdrawn):
            await send(server.port, Commits(answer=False))

    assert server.requests == []


async def test_failed_connection_is_certainly_not_sent() -> None:
    async with gateway(b"") as server:
        pass
    with pytest.raises(TemporaryFailure, match="no connection"):
        await send(server.port, Commits())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "0"])
async def test_loopback_is_refused_in_every_spelling(host: str) -> None:
    async with gateway(answered("200 OK")) as server:
        with pytest.raises(ForbiddenAddress, match="not a public address"):
            await send(server.port, Commits(), host=host, allow=False)

    assert server.requests == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("240.0.0.1", False), ("255.255.255.255", False),
        ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fc00::1", False),
        ("fec0::1", False), ("ff02::1", False), ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False), ("2002:7f00:1::", False), ("::7f00:1", False),
        ("2001:db8::1", False),
    ],
)  # fmt: skip
def test_only_addresses_of_the_open_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_guarded_client_keeps_no_cookies() -> None:
    answer = answered("200 OK", headers="Set-Cookie: a=b\r\n")
    async with gateway(answer) as server, guarded_client(True, timedelta(seconds=1)) as client:
        for _ in range(2):
            response = await client.post(f"http://127.0.0.1:{server.port}/", content=b"x")

    assert response.status_code == httpx.codes.OK
    assert not any("cookie" in headers for headers, _ in server.requests)


@pytest.mark.parametrize(
    "secret", ["", "abc", "whsec_", "whsec_???", "MfKQ9r8GKYqrTwjUPD8ILPZIo2La"]
)
def test_bad_secret_is_named_without_being_shown(secret: str) -> None:
    with pytest.raises(InvalidRouteError, match=r"whsec_ followed by base64$"):
        SignedHttp("https://gateway.example.org", secret)


async def test_routes_open_the_providers_their_schemes_name() -> None:
    opened = open_providers({
        "email": Route("smtp://127.0.0.1:2525"),
        "sms": Route("https://gateway.example.org/sms", SECRET),
    })

    assert {channel: provider.name for channel, provider in opened.items()} == {
        "email": "smtp",
        "sms": "signed_http",
    }
    for provider in opened.values():
        await provider.close()


@pytest.mark.parametrize(
    ("channel", "route", "named"),
    [
        ("sms", Route("smtp://a"), "cannot be carried by 'smtp'"),
        ("sms", Route("ftp://a"), "scheme 'ftp' is none of"),
        ("sms", Route("https://a"), "needs a secret"),
        ("sms", Route("https:///x", SECRET), "not an http or https URL"),
    ],
)
def test_bad_route_says_why(channel: str, route: Route, named: str) -> None:
    with pytest.raises(InvalidRouteError, match=named):
        open_providers({channel: route})


class Clock:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def broken() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(threshold=3, open_for=timedelta(seconds=10), clock=clock)
    for _ in range(3):
        breaker.failed()
    return breaker, clock


def test_breaker_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(threshold=3)
    for report in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed):
        report()

    assert breaker.state == "closed"
    assert broken()[0].state == "open"
    assert not broken()[0].allows()


@pytest.mark.parametrize(
    ("report", "state"), [(Breaker.succeeded, "closed"), (Breaker.failed, "open")]
)
def test_half_open_breaker_lets_one_trial_decide(
    report: Callable[[Breaker], None], state: str
) -> None:
    breaker, clock = broken()
    clock.now = 10.0

    assert breaker.state == "half_open"
    assert breaker.allows()
    assert not breaker.allows()
    report(breaker)
    assert breaker.state == state


def test_trial_that_never_reports_is_given_up() -> None:
    breaker, clock = broken()
    clock.now = 10.0
    breaker.allows()
    clock.now = 20.0

    assert breaker.allows()
