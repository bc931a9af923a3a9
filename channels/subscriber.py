"""Posts one event to whoever subscribed to it, signed by Standard Webhooks."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from channels.base import PermanentFailure, TemporaryFailure
from channels.guard import guarded_client
from channels.signed_http import retry_after, signature

TIMEOUT = timedelta(seconds=15)


class Gone(PermanentFailure):
    """The subscriber answers 410: it wants nothing any more."""


class Subscriber:
    """One endpoint with its connections; nothing of its answers is kept but the status."""

    def __init__(
        self,
        url: str,
        secret: bytes,
        *,
        allow_private: bool,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = url
        self._secret = secret
        self._client = guarded_client(allow_private, TIMEOUT)
        self._now = now

    async def post(self, id: str, content: bytes, media: str) -> None:
        """Post an event until it is taken; a `ChannelError` says why it was not.

        The id is the same however often it is posted: by it the subscriber drops repeats.
        """
        seconds = str(int(self._now().timestamp()))
        headers = {
            "content-type": media,
            "webhook-id": id,
            "webhook-timestamp": seconds,
            "webhook-signature": signature(self._secret, id, seconds, content),
        }
        request = self._client.build_request("POST", self._url, content=content, headers=headers)
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                response = await self._client.send(request, stream=True)
                await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            raise TemporaryFailure(f"no answer: {type(error).__name__}") from error
        if response.status_code == httpx.codes.GONE:
            raise Gone("answered 410")
        if not response.is_success:
            raise TemporaryFailure(f"answered {response.status_code}", retry_after(response))

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
