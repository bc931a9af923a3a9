"""One connection to an SMTP server: bytes out, replies in, and what became of it."""

import asyncio
import ssl
from datetime import timedelta
from typing import cast

from channels.smtp_reply import MalformedReplyError, Reply, ReplyParser


class Link(asyncio.Protocol):
    """A connection that knows whether it can still be used.

    It never raises for what the network does: `replies` returns as many as came before the
    connection was lost, and `loss` says why it was.
    """

    def __init__(self) -> None:
        self.loss: str | None = None
        self.extensions: dict[str, str] = {}
        self.is_reused = False
        self.is_dirty = False
        self.idle_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser = ReplyParser()
        self._replies: list[Reply] = []
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._limit = timedelta(0)
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio, once more after STARTTLS."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's share only its shape

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with whatever arrived."""
        try:
            self._replies.extend(self._parser.feed(data))
        except MalformedReplyError as error:
            self.abort(str(error))
            return
        if len(self._replies) >= self._wanted:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when the connection is gone."""
        if self.loss is None:
            self.loss = f"connection lost: {exc}" if exc else "connection closed by the server"
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    @property
    def is_quiet(self) -> bool:
        """Whether it is open and the server has said nothing that was not asked for."""
        return self.loss is None and not self._replies and self._parser.is_between_replies

    @property
    def local_address(self) -> str:
        """The IP address of our end."""
        return str(self._transport.get_extra_info("sockname")[0])

    def write(self, data: bytes) -> None:
        """Hand bytes to the network; what becomes of them shows in the replies."""
        if self.loss is None:
            self._transport.write(data)

    async def replies(self, count: int, timeout: timedelta) -> list[Reply]:
        """The next `count` replies, or fewer if the connection was lost before they came."""
        if len(self._replies) < count and self.loss is None:
            self._wanted = count
            self._waiter = self._loop.create_future()
            self._watch(timeout)
            try:
                await self._waiter
            finally:
                self._waiter = None
        if len(self._replies) == count:
            taken, self._replies = self._replies, []
        else:
            taken, self._replies = self._replies[:count], self._replies[count:]
        return taken

    async def start_tls(self, context: ssl.SSLContext, host: str, timeout: timedelta) -> None:
        """Go on encrypted; raises `OSError` when the handshake fails."""
        if self.loss is not None:
            raise ConnectionResetError(self.loss)
        transport = await self._loop.start_tls(
            self._transport,
            self,
            context,
            server_hostname=host,
            ssl_handshake_timeout=timeout.total_seconds(),
        )
        if transport is None:
            raise ConnectionResetError(self.loss or "connection lost during the handshake")
        self._transport = transport

    def abort(self, reason: str) -> None:
        """Drop the connection at once, leaving the server in the middle of whatever it was."""
        if self.loss is None:
            self.loss = reason
        self._transport.abort()
        self._wake()

    def quit(self) -> None:
        """Take leave politely, without waiting for the answer."""
        if self.loss is None:
            self._transport.write(b"QUIT\r\n")
            self.loss = "closed by us"
            self._transport.close()

    def _watch(self, limit: timedelta) -> None:
        """Wait no longer than this; a timer that is set looks after many replies in a row."""
        self._limit = limit
        self._deadline = self._loop.time() + limit.total_seconds()
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._expire)
        else:
            self.abort(f"no reply within {self._limit.total_seconds():g} s")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
