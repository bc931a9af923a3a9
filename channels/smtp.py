"""Email over SMTP: reused connections, pipelining, and a commit between 354 and the body.

A mail that waits has its envelope written behind the body of the one before it, as RFC 2920 allows:
one write and one read a mail. Up to the server's 354 nothing is lost by trying again, so a
connection that died while it lay idle, or under the mail before, is replaced without a word. From
the commit on there is one attempt and one answer.
"""

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from channels.base import (
    Accepted,
    Commit,
    OutcomeUnknown,
    Outgoing,
    Parcel,
    Source,
    TemporaryFailure,
    Withdrawn,
)
from channels.lanes import Lanes
from channels.mail_headers import check_address, from_header
from channels.mime import build
from channels.smtp_envelope import StaleError, commands, is_open, lines, refusal
from channels.smtp_greeting import Greeter, Timeouts
from channels.smtp_idle import IdleLinks
from channels.smtp_link import Link
from channels.smtp_mail import Mail, Pending
from channels.smtp_reply import Reply
from channels.smtp_url import SmtpUrl

QUEUED = re.compile(r"\bqueued as <?([A-Za-z0-9._@-]+)", re.IGNORECASE)


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
        self._idle = IdleLinks(idle)
        self._now = now
        self._pending: deque[Pending] = deque()
        self._lanes = Lanes(size, self._submit)

    async def send(self, message: Outgoing, commit: Commit) -> Accepted:
        """Submit one mail; see `Provider`."""
        pending = Pending(message, commit, asyncio.get_running_loop().create_future())
        self._pending.append(pending)
        self._lanes.pull(self._next_pending, 1)
        try:
            return await pending.answer
        except asyncio.CancelledError:
            pending.give_up()
            raise

    def pull(self, source: Source) -> None:
        """Submit what `source` gives; see `Provider`."""
        self._lanes.pull(source)

    async def close(self) -> None:
        """Take leave on idle connections; those in use are closed when their mail is done."""
        self._idle.close()

    def _next_pending(self) -> Parcel | None:
        return self._pending.popleft() if self._pending else None

    async def _submit(self, parcel: Parcel) -> None:
        """Submit a mail, and over the same connection others that wait behind it.

        The connection goes back to the idle ones unless it is in an unclear state.
        """
        if not parcel.is_wanted:
            return
        try:
            check(parcel.message)
            link = self._idle.take() or await self._greeter.open()
            try:
                current: Mail | None = await self._open(link, parcel)
                while current is not None:
                    current = await self._deliver(link, current)
            finally:
                if link.is_quiet:
                    self._idle.put(link)
                else:
                    link.abort("dropped by us")
        except StaleError:
            self._lanes.put_back(parcel)
        except Exception as error:  # whatever it is, it belongs to who answers for this mail
            parcel.fail(error)

    async def _open(self, link: Link, parcel: Parcel) -> Mail:
        """Everything up to the 354, in one go where the server lets us; else up to the first no."""
        mail = self._written(link, parcel)
        link.is_dirty = True
        is_pipelined = "PIPELINING" in link.extensions
        replies: list[Reply] = []
        for group in [mail.said] if is_pipelined else [(one,) for one in mail.said]:
            link.write(lines(group))
            replies += await link.replies(len(group), self._timeouts.command)
            if link.loss or not replies[-1].is_positive:
                break
        is_open(link, mail.said, replies)
        return mail

    def _written(self, link: Link, parcel: Parcel) -> Mail:
        data = build(parcel.message, self._now(), "8BITMIME" in link.extensions)
        return Mail(parcel, data, tuple(commands(link, parcel.message, data)))

    async def _deliver(self, link: Link, current: Mail) -> Mail | None:
        """Send the body that is awaited; the mail whose body the server awaits then, if any."""
        parcel, committed = current.parcel, current.parcel.commit()
        behind = self._behind(link)  # written while the commit is under way
        try:
            await self._commit(link, parcel, committed)
        except Exception as error:
            parcel.fail(error)
            if behind is not None:
                self._lanes.put_back(behind.parcel)
            return None
        link.write(
            current.data.replace(b"\r\n.", b"\r\n..")
            + b".\r\n"
            + (lines(behind.said) if behind is not None else b"")
        )
        try:
            parcel.succeed(await self._accepted(link, is_dirty=behind is not None))
        except Exception as error:
            parcel.fail(error)
        if behind is None:
            return None
        if parcel.is_awaited:
            # Who waits for the answer hears of it before the next mail is committed. Where all are
            # fetched, that is in the same breath: a kill leaves one mail of a connection without
            # its answer written, and not two.
            await asyncio.sleep(0)
        return await self._opened(link, behind)

    async def _commit(self, link: Link, parcel: Parcel, committed: Awaitable[bool]) -> None:
        """Pass the point of no return; a connection on which that fails is dropped."""
        try:
            may_go = await committed
        except BaseException:
            link.abort("not committed")
            raise
        if not may_go or not parcel.is_wanted:
            link.abort("withdrawn")
            raise Withdrawn("withdrawn before its body was sent")
        if not link.is_quiet:
            link.abort("the server spoke before the body")
            raise TemporaryFailure(f"{link.loss}; the body was not sent")

    def _behind(self, link: Link) -> Mail | None:
        """A mail that waits, its envelope ready to be written behind a body."""
        if "PIPELINING" not in link.extensions:
            return None
        link.is_dirty = False
        while (parcel := self._lanes.next()) is not None:
            if not parcel.is_wanted:
                continue
            try:
                check(parcel.message)
                return self._written(link, parcel)
            except Exception as error:
                parcel.fail(error)
        return None

    async def _accepted(self, link: Link, *, is_dirty: bool) -> Accepted:
        """The server's answer to a body."""
        replies = await link.replies(1, self._timeouts.reply)
        if not replies:
            raise OutcomeUnknown(f"no answer to the body: {link.loss}")
        reply = replies[0]
        link.is_dirty = is_dirty
        if not reply.is_positive:
            raise refusal(link, reply, is_about_recipient=True)
        if reply.code >= 300:
            link.abort("an answer that means nothing")
            raise OutcomeUnknown(f"an answer to the body that means nothing: {reply}")
        found = QUEUED.search(str(reply))
        return Accepted(found.group(1) if found else None, str(reply))

    async def _opened(self, link: Link, behind: Mail) -> Mail | None:
        """The mail whose envelope was written behind a body, if the server awaits its body."""
        link.is_reused = True
        try:
            replies = await link.replies(len(behind.said), self._timeouts.command)
            is_open(link, behind.said, replies)
        except StaleError:
            self._lanes.put_back(behind.parcel)
        except Exception as error:
            behind.parcel.fail(error)
        else:
            return behind
        return None


def check(message: Outgoing) -> None:
    """Raise PermanentFailure for addresses that are none, or would do harm."""
    check_address(message.address, "recipient")
    from_header(message.sender)
