"""Email over SMTP: reused connections, pipelining, and a commit between 354 and the body.

Up to the server's 354 nothing is lost by trying again, so a connection that died while it lay idle
is replaced without a word. From the commit on there is one attempt and one answer.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from channels.base import (
    Accepted,
    ChannelError,
    Commit,
    OutcomeUnknown,
    Outgoing,
    PermanentFailure,
    TemporaryFailure,
    Withdrawn,
)
from channels.mail_headers import check_address, from_header
from channels.mime import build
from channels.smtp_greeting import Greeter, Timeouts
from channels.smtp_idle import IdleLinks
from channels.smtp_link import Link
from channels.smtp_reply import Reply
from channels.smtp_url import SmtpUrl

QUEUED = re.compile(r"\bqueued as <?([A-Za-z0-9._@-]+)", re.IGNORECASE)
SENDERS_FAULT = frozenset({"5.1.7", "5.1.8"})
CLOSING = 421
GO_ON = 354


class _StaleError(Exception):
    """A reused connection turned out to be dead before anything was committed."""


class Smtp:
    """Submits mail to one server over at most `size` connections."""

    name = "smtp"
    takes_idempotency_key = False

    def __init__(
        self,
        url: SmtpUrl,
        *,
        size: int = 20,
        idle: timedelta = timedelta(seconds=30),
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
        hello: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._greeter = Greeter(url, self._timeouts, tls, hello)
        self._slots = asyncio.Semaphore(size)
        self._idle = IdleLinks(idle)
        self._now = now

    async def send(self, message: Outgoing, commit: Commit) -> Accepted:
        """Submit one mail; see `Provider`."""
        check_address(message.address, "recipient")
        from_header(message.sender)
        async with self._slots:
            link = self._idle.take()
            if link is not None:
                try:
                    return await self._submit(link, message, commit)
                except _StaleError:
                    pass
            return await self._submit(await self._greeter.open(), message, commit)

    async def close(self) -> None:
        """Take leave on idle connections; those in use are closed when their mail is done."""
        self._idle.close()

    async def _submit(self, link: Link, message: Outgoing, commit: Commit) -> Accepted:
        """One transaction; the link goes back to the pool unless it is in an unclear state."""
        is_kept = False
        try:
            accepted = await self._transact(link, message, commit)
        except (TemporaryFailure, PermanentFailure):
            is_kept = link.is_quiet
            raise
        else:
            is_kept = True
            return accepted
        finally:
            if is_kept:
                self._idle.put(link)
            else:
                link.abort("dropped by us")

    async def _transact(self, link: Link, message: Outgoing, commit: Commit) -> Accepted:
        data = build(message, self._now(), "8BITMIME" in link.extensions)
        await self._envelope(link, self._commands(link, message, data))
        if not await commit():
            link.abort("withdrawn")
            raise Withdrawn("withdrawn before its body was sent")
        if not link.is_quiet:
            link.abort("the server spoke before the body")
            raise TemporaryFailure(f"{link.loss}; the body was not sent")
        link.write(data.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        replies = await link.replies(1, self._timeouts.reply)
        if not replies:
            raise OutcomeUnknown(f"no answer to the body: {link.loss}")
        reply = replies[0]
        link.is_dirty = False
        if not reply.is_positive:
            raise self._refusal(link, reply, is_about_recipient=True)
        if reply.code >= 300:
            raise OutcomeUnknown(f"an answer to the body that means nothing: {reply}")
        found = QUEUED.search(str(reply))
        return Accepted(found.group(1) if found else None, str(reply))

    def _commands(self, link: Link, message: Outgoing, data: bytes) -> list[str]:
        """The envelope, one command a line, after a RSET where the last one was left open."""
        offered = link.extensions
        sender = from_header(message.sender)[1]
        parameters = ""
        if "SIZE" in offered:
            limit = offered["SIZE"].strip()
            if limit.isdecimal() and 0 < int(limit) < len(data):
                raise PermanentFailure(f"{len(data)} bytes are more than the server's {limit}")
            parameters += f" SIZE={len(data)}"
        if "8BITMIME" in offered and not data.isascii():
            parameters += " BODY=8BITMIME"
        if not sender.isascii() or not message.address.isascii():
            if "SMTPUTF8" not in offered:
                raise PermanentFailure("the server takes no addresses beyond ASCII (SMTPUTF8)")
            parameters += " SMTPUTF8"
        envelope = [f"MAIL FROM:<{sender}>{parameters}", f"RCPT TO:<{message.address}>", "DATA"]
        return ["RSET", *envelope] if link.is_dirty else envelope

    async def _envelope(self, link: Link, commands: list[str]) -> None:
        """Everything up to the 354; returns only if the server awaits the body."""
        replies = await self._exchange(link, commands)
        for command, reply in zip(commands, replies, strict=False):
            if not reply.is_positive:
                if replies[-1].code == GO_ON:
                    link.abort("a body is awaited for a mail that was refused")
                if link.is_reused and reply.code == CLOSING:
                    raise _StaleError
                raise self._refusal(link, reply, is_about_recipient=command.startswith("RCPT"))
        if len(replies) < len(commands):
            if link.is_reused:
                raise _StaleError
            raise TemporaryFailure(f"{link.loss}; the body was not sent")
        if replies[-1].code != GO_ON:
            link.abort("unexpected reply to DATA")
            raise TemporaryFailure(f"unexpected reply to DATA: {replies[-1]}")

    async def _exchange(self, link: Link, commands: list[str]) -> list[Reply]:
        """The replies, in one go where the server lets us; otherwise up to the first no."""
        link.is_dirty = True
        is_pipelined = "PIPELINING" in link.extensions
        replies: list[Reply] = []
        for group in [commands] if is_pipelined else [[command] for command in commands]:
            link.write("".join(f"{command}\r\n" for command in group).encode())
            replies += await link.replies(len(group), self._timeouts.command)
            if link.loss or not replies[-1].is_positive:
                break
        return replies

    def _refusal(self, link: Link, reply: Reply, is_about_recipient: bool) -> ChannelError:
        """The server's no as what it means for the message."""
        if reply.code == CLOSING:
            link.abort(f"closed by the server: {reply}")
        if reply.code < 500:
            return TemporaryFailure(str(reply))
        code = reply.enhanced or ""
        is_bad_address = is_about_recipient and code.startswith("5.1.")
        return PermanentFailure(str(reply), suppress=is_bad_address and code not in SENDERS_FAULT)
