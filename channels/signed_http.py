"""Messages of any channel as signed HTTP POSTs (Standard Webhooks), for a gateway to carry on."""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import orjson

from channels.base import (
    Accepted,
    Commit,
    InvalidRouteError,
    OutcomeUnknown,
    Outgoing,
    PermanentFailure,
    RateLimited,
    Source,
    TemporaryFailure,
    Withdrawn,
)
from channels.guard import guarded_client, read_limited
from channels.lanes import lanes_of

LARGEST_ANSWER = 64 * 1024
SHOWN = 500
AT_ONCE = 40  # messages of broadcasts
PHASES = 3  # connecting, writing, reading: no trickle of bytes holds us longer than all three

NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
TEMPORARY = frozenset({408, 425})


class SignedHttp:
    """Posts each message to one URL; the receiver drops repeats by the ledger's id."""

    name = "signed_http"
    takes_idempotency_key = True

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        allow_private: bool = False,
        timeout: timedelta = timedelta(seconds=15),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = checked_url(url)
        self._key = signing_key(secret)
        self._client = guarded_client(allow_private, timeout)
        self._limit = PHASES * timeout.total_seconds()
        self._now = now
        self._lanes = lanes_of(self, AT_ONCE)

    def pull(self, source: Source) -> None:
        """Post what `source` gives; see `Provider`."""
        self._lanes.pull(source)

    async def send(self, message: Outgoing, commit: Commit) -> Accepted:
        """Post one message; see `Provider`."""
        request = self._request(message)
        if not await commit():
            raise Withdrawn("withdrawn before the request")
        try:
            async with asyncio.timeout(self._limit):
                response = await self._client.send(request, stream=True)
        except NOTHING_SENT as error:
            raise TemporaryFailure(f"no connection: {described(error)}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise OutcomeUnknown(f"no answer: {described(error)}") from error
        try:
            answer = await self._answer(response)
        finally:
            await response.aclose()
        return self._judge(response, answer)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def _request(self, message: Outgoing) -> httpx.Request:
        now = self._now()
        parts = {**message.parts, "sender": message.sender} if message.sender else message.parts
        body = orjson.dumps({
            "type": "message",
            "timestamp": now.isoformat(),
            "data": {
                **parts,
                "id": str(message.id),
                "channel": message.channel,
                "to": message.address,
                "metadata": {
                    "instance": str(message.instance),
                    "journey": message.journey,
                    "step": message.step,
                },
            },
        })
        seconds = str(int(now.timestamp()))
        headers = {
            "content-type": "application/json",
            "idempotency-key": str(message.id),
            "webhook-id": str(message.id),
            "webhook-timestamp": seconds,
            "webhook-signature": signature(self._key, str(message.id), seconds, body),
        }
        return self._client.build_request("POST", self._url, content=body, headers=headers)

    async def _answer(self, response: httpx.Response) -> bytes:
        """The body as far as it can be had; the status alone decides."""
        try:
            async with asyncio.timeout(self._limit):
                return (await read_limited(response, LARGEST_ANSWER))[0]
        except (httpx.HTTPError, TimeoutError):
            return b""

    def _judge(self, response: httpx.Response, answer: bytes) -> Accepted:
        status = response.status_code
        detail = f"{status} {words(answer)}".rstrip()
        if response.is_success:
            return Accepted(provider_id(answer), detail)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise RateLimited(detail, retry_after(response))
        if status in TEMPORARY or response.is_server_error:
            raise TemporaryFailure(detail, retry_after(response))
        raise PermanentFailure(detail)


def retry_after(response: httpx.Response) -> timedelta | None:
    """Retry-After in either of its forms; nonsense and the past count as not given."""
    text = response.headers.get("retry-after", "").strip()
    try:
        if text.isdecimal():
            return timedelta(seconds=int(text))
        wait = parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return wait if wait > timedelta(0) else None


def checked_url(url: str) -> str:
    """The URL of a receiver, which must be absolute and of the web."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidRouteError(f"{url!r} is not an http or https URL")
    return url


def signing_key(secret: str) -> bytes:
    """The bytes of a `whsec_…` secret."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith("whsec_") or not key:
        raise InvalidRouteError("a signing secret is whsec_ followed by base64")
    return key


def signature(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    """The `webhook-signature` header (Standard Webhooks, scheme v1)."""
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def provider_id(answer: bytes) -> str | None:
    """The `id` that the receiver gave the message, if its answer is JSON with one."""
    try:
        value = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None
    given = value.get("id") if isinstance(value, dict) else None
    return str(given) if isinstance(given, str | int) else None


def words(answer: bytes) -> str:
    """The beginning of an answer, fit for a ledger and a terminal."""
    text = " ".join(answer[: 4 * SHOWN].decode("utf-8", "replace").split())[:SHOWN]
    return "".join(character if character.isprintable() else "?" for character in text)


def described(error: Exception) -> str:
    """What went wrong, for errors that often say nothing themselves."""
    return str(error) or type(error).__name__
