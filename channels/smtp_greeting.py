"""From a URL to a connection that is ready for mail: greeting, EHLO, STARTTLS, AUTH."""

import asyncio
import base64
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from channels.base import TemporaryFailure
from channels.smtp_link import Link
from channels.smtp_reply import Reply
from channels.smtp_url import SmtpUrl


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase of a delivery may take."""

    connect: timedelta = timedelta(seconds=10)
    command: timedelta = timedelta(seconds=30)
    reply: timedelta = timedelta(seconds=60)


class Greeter:
    """Opens connections to one server.

    Whatever goes wrong here says nothing about a message, so every failure is temporary: a wrong
    password holds messages back until it is mended, it does not refuse them.
    """

    def __init__(
        self, url: SmtpUrl, timeouts: Timeouts, tls: ssl.SSLContext | None, hello: str | None
    ) -> None:
        self._url = url
        self._timeouts = timeouts
        self._verified = tls or ssl.create_default_context()
        self._unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._unverified.check_hostname = False
        self._unverified.verify_mode = ssl.CERT_NONE
        self._hello = hello or (name if "." in (name := socket.gethostname()) else None)

    async def open(self) -> Link:
        """A new connection, ready for MAIL."""
        link = await self._connect()
        try:
            await self._prepare(link)
        except BaseException:
            link.abort("not ready for mail")
            raise
        return link

    async def _connect(self) -> Link:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeouts.connect.total_seconds()):
                _, link = await loop.create_connection(
                    Link,
                    self._url.host,
                    self._url.port,
                    ssl=self._verified if self._url.is_tls else None,
                )
        except TimeoutError:
            raise self._failure("no connection in time") from None
        except (OSError, UnicodeError) as error:
            raise self._failure(f"no connection: {error}") from None
        return link

    async def _prepare(self, link: Link) -> None:
        greeting = await self._reply(link)
        if greeting.code != 220:
            raise self._failure(f"refuses to talk: {greeting}")
        await self._ehlo(link)
        if not self._url.is_tls and "STARTTLS" in link.extensions:
            await self._start_tls(link)
            await self._ehlo(link)
        elif not self._url.is_tls and self._url.user is not None:
            raise self._failure("does not offer STARTTLS; a password is only sent encrypted")
        if self._url.user is not None:
            await self._authenticate(link, self._url.user, self._url.password or "")

    async def _ehlo(self, link: Link) -> None:
        name = self._hello or literal(link.local_address)
        link.extensions = {}
        reply = await self._command(link, f"EHLO {name}")
        if reply.code == 250:
            link.extensions = extensions(reply)
            return
        reply = await self._command(link, f"HELO {name}")
        if reply.code != 250:
            raise self._failure(f"refuses our greeting: {reply}")

    async def _start_tls(self, link: Link) -> None:
        """Encrypt; without a password to protect, an unknown certificate beats plain text."""
        reply = await self._command(link, "STARTTLS")
        if reply.code != 220:
            raise self._failure(f"offers STARTTLS and refuses it: {reply}")
        if not link.is_quiet:
            raise self._failure("sent more than the answer to STARTTLS: someone may be listening")
        context = self._unverified if self._url.user is None else self._verified
        try:
            await link.start_tls(context, self._url.host, self._timeouts.connect)
        except OSError as error:
            raise self._failure(f"TLS failed: {error}") from None

    async def _authenticate(self, link: Link, user: str, password: str) -> None:
        offered = link.extensions.get("AUTH", "").upper().split()
        ways: dict[str, Callable[[Link, str, str], Awaitable[Reply]]] = {
            "PLAIN": self._plain,
            "LOGIN": self._login,
        }
        for name, way in ways.items():
            if name in offered:
                reply = await way(link, user, password)
                if reply.code != 235:
                    raise self._failure(f"refuses user and password: {reply}")
                return
        raise self._failure("offers neither AUTH PLAIN nor AUTH LOGIN")

    async def _plain(self, link: Link, user: str, password: str) -> Reply:
        credentials = encoded("\0".join(("", user, password)))
        return await self._command(link, f"AUTH PLAIN {credentials}")

    async def _login(self, link: Link, user: str, password: str) -> Reply:
        reply = await self._command(link, "AUTH LOGIN")
        for answer in (user, password):
            if reply.code != 334:
                break
            reply = await self._command(link, encoded(answer))
        return reply

    async def _command(self, link: Link, line: str) -> Reply:
        link.write(f"{line}\r\n".encode())
        return await self._reply(link)

    async def _reply(self, link: Link) -> Reply:
        replies = await link.replies(1, self._timeouts.command)
        if not replies:
            raise self._failure(link.loss or "connection lost")
        return replies[0]

    def _failure(self, what: str) -> TemporaryFailure:
        return TemporaryFailure(f"SMTP server {self._url.host}:{self._url.port}: {what}")


def literal(address: str) -> str:
    """An IP address as a name in EHLO."""
    plain = address.partition("%")[0]
    return f"[IPv6:{plain}]" if ipaddress.ip_address(plain).version == 6 else f"[{plain}]"


def encoded(text: str) -> str:
    """Base64, as AUTH wants it."""
    return base64.b64encode(text.encode()).decode()


def extensions(reply: Reply) -> dict[str, str]:
    """What an EHLO answer offers, by upper-case name."""
    offered = (line.partition(" ") for line in reply.lines[1:])
    return {name.upper(): rest for name, _, rest in offered}
