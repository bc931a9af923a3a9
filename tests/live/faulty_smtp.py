"""A real SMTP server on loopback that misbehaves as the recipient's tag asks (ann+4xx@example.com).

4xx, 5xx        RCPT is refused          421         RCPT is refused and the connection closed
4xxdata, 5xxdata, 421data   the body is refused
drop-at-data    closed instead of 354    drop-after-data   closed instead of an answer to the body
eager           354, then 421 at once    silent      the body is never answered
slow            the body is answered after `delay`         garbage    answered with nonsense
"""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 100000", "ENHANCEDSTATUSCODES")

AT_RCPT = {
    "4xx": "450 4.2.0 mailbox busy",
    "5xx": "550 5.1.1 no such user",
    "relay": "550 5.7.1 relaying denied",
    "421": "421 4.3.2 going down",
}
AT_BODY = {
    "4xxdata": "451 4.3.0 queue is full",
    "5xxdata": "554-5.7.1 looks like\r\n554 5.7.1 spam",
    "421data": "421 4.3.2 going down",
    "garbage": "what?",
}


class HangupError(Exception):
    """The server closes the connection."""


@dataclass
class FaultySmtp:
    """What the server offers and does, and what it saw."""

    extensions: tuple[str, ...] = EXTENSIONS
    greeting: str = "220 faulty ESMTP"
    takes_data_anyway: bool = False
    tls: ssl.SSLContext | None = None
    delay: float = 0.5
    patience: float = 0.0
    """Seconds until the greeting."""
    password: str | None = None
    port: int = 0
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    was_pipelined: bool = False
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    dropped_bodies: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    def hang_up(self, words: bytes = b"") -> None:
        """Close every open connection, as for idleness or a restart."""
        for writer in self.open:
            writer.write(words)
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.open.add(writer)
        try:
            await Dialogue(self, reader, writer).run()
        except (HangupError, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


class Dialogue:
    """One client's session."""

    def __init__(
        self, server: FaultySmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.recipient = ""
        self.is_refused = False
        self.is_secure = False

    @property
    def tag(self) -> str:
        return self.recipient.partition("@")[0].partition("+")[2]

    async def say(self, text: str) -> None:
        self.writer.write(f"{text}\r\n".encode())
        await self.writer.drain()

    async def run(self) -> None:
        await asyncio.sleep(self.server.patience)
        await self.say(self.server.greeting)
        while line := (await self.reader.readline()).decode():
            self.server.commands.append(line.strip())
            self.server.was_pipelined |= bool(self.reader._buffer)  # type: ignore[attr-defined] # no public way
            verb = line[:4].strip().upper()
            handler = getattr(self, f"on_{verb.lower()}", None)
            await (handler(line.strip()) if handler else self.say("250 2.0.0 ok"))

    async def on_ehlo(self, line: str) -> None:
        offered = ["faulty", *self.server.extensions]
        if self.server.tls and not self.is_secure:
            offered.append("STARTTLS")
        if self.server.password:
            offered.append("AUTH LOGIN PLAIN")
        lines = [f"250-{name}" for name in offered]
        await self.say("\r\n".join([*lines[:-1], lines[-1].replace("-", " ", 1)]))

    async def on_star(self, line: str) -> None:
        assert self.server.tls
        await self.say("220 2.0.0 go")
        plain = self.writer.transport
        try:
            await self.writer.start_tls(self.server.tls)
        except AttributeError:  # asyncio 3.11 loses the transport of a client that leaves here
            self.writer._transport = plain  # type: ignore[attr-defined] # its __del__ needs one
            raise HangupError from None
        self.is_secure = True

    async def on_auth(self, line: str) -> None:
        assert self.is_secure, "a password came in plain text"
        given = base64.b64decode(line.split()[2]).decode().split("\0")[2]
        ok = given == self.server.password
        await self.say("235 2.7.0 welcome" if ok else "535 5.7.8 wrong password")

    async def on_mail(self, line: str) -> None:
        self.recipient, self.is_refused = "", False
        await self.say("250 2.1.0 ok")

    async def on_rcpt(self, line: str) -> None:
        self.recipient = line.partition("<")[2].partition(">")[0]
        self.is_refused = self.tag in AT_RCPT
        await self.say(AT_RCPT.get(self.tag, "250 2.1.5 ok"))
        if self.tag == "421":
            raise HangupError

    async def on_data(self, line: str) -> None:
        if self.is_refused and not self.server.takes_data_anyway:
            await self.say("503 5.5.1 no recipient")
            return
        if self.tag == "drop-at-data":
            raise HangupError
        await self.say("354 go on")
        if self.tag == "eager":
            await self.say("421 4.4.2 too slow")
            raise HangupError
        try:
            body = await self.reader.readuntil(b"\r\n.\r\n")
        except asyncio.IncompleteReadError:
            self.server.dropped_bodies += 1
            raise
        await self.answer(body)

    async def answer(self, body: bytes) -> None:
        if self.tag == "drop-after-data":
            raise HangupError
        if self.tag == "silent":
            await self.reader.read()
            raise HangupError
        if self.tag == "slow":
            await asyncio.sleep(self.server.delay)
        if self.tag not in AT_BODY:
            self.server.mails.append((self.recipient, body[:-3]))
        await self.say(AT_BODY.get(self.tag, "250 2.0.0 Ok: queued as ABC123"))
        if self.tag == "421data":
            raise HangupError


@asynccontextmanager
async def faulty_smtp(server: FaultySmtp | None = None) -> AsyncIterator[FaultySmtp]:
    """A running server; its port is set."""
    server = server or FaultySmtp()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        server.hang_up()
        await asyncio.sleep(0.02)
