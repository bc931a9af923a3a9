"""A local SMTP server that keeps every mail in one mbox file, for the demo, tests and benchmarks.

Run it beside us with `python -m embedded.mailbox --port N --path P`; it prints nothing.
"""

import argparse
import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import cast

import uvloop

from embedded.mbox import entry, message_id, message_ids

LARGEST = 32 * 1024 * 1024
LONGEST_LINE = 4096
HELLO = (
    b"250-parcours\r\n250-PIPELINING\r\n250-SIZE %d\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
    b"250 ENHANCEDSTATUSCODES\r\n" % LARGEST
)
END = b"\r\n.\r\n"
ANSWERS = {
    b"HELO": b"250 parcours\r\n",
    b"EHLO": HELLO,
    b"NOOP": b"250 2.0.0 OK\r\n",
    b"VRFY": b"252 2.5.0 try and see\r\n",
}


class Mailbox:
    """Accepts every mail, writes it and only then says so; what was there before is counted."""

    def __init__(self, path: Path | None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.message_ids: Counter[str] = Counter()
        self.port = port
        self._path = path
        self._host = host
        self._file: int | None = None
        self._server: asyncio.Server | None = None
        self._sessions: set[Session] = set()

    @property
    def count(self) -> int:
        """How many mails it holds."""
        return self.message_ids.total()

    async def start(self) -> None:
        """Open the file and listen; `port` is the real one from then on."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            self.message_ids = message_ids(self._path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Session(self), self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop every connection and stop listening."""
        if self._server is not None:
            self._server.close()
            for session in list(self._sessions):
                session.drop()
            await self._server.wait_closed()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def keep(self, recipients: list[bytes], data: bytes) -> None:
        """Write one mail in one call, so that a kill leaves all of it or nothing."""
        if self._file is not None:
            os.write(self._file, entry(recipients, data))
        self.message_ids[message_id(data)] += 1

    def opened(self, session: "Session") -> None:
        """A client has come."""
        self._sessions.add(session)

    def closed(self, session: "Session") -> None:
        """A client has gone."""
        self._sessions.discard(session)


class Session(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._transport: asyncio.Transport
        self._buffer = b""
        self._body: bytearray | None = None
        self._recipients: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's share only its shape
        self._mailbox.opened(self)
        self._transport.write(b"220 parcours ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._mailbox.closed(self)

    def drop(self) -> None:
        """Close without a word."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio: commands and bodies, in any pieces."""
        answers: list[bytes] = []
        self._buffer += data
        while self._body_ends(answers) if self._body is not None else self._command_ends(answers):
            pass
        if answers:
            self._transport.write(b"".join(answers))
        if answers and answers[-1].startswith((b"221", b"552")):
            self._transport.close()

    def _command_ends(self, answers: list[bytes]) -> bool:
        line, found, rest = self._buffer.partition(b"\n")
        if not found:
            if len(self._buffer) > LONGEST_LINE:
                self._buffer = b""
                answers.append(b"552 5.5.2 that is no command\r\n")
            return False
        self._buffer = rest
        answers.append(self._answer(line.strip()))
        return True

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        match verb:
            case b"MAIL" | b"RSET":
                self._recipients = []
                return b"250 2.0.0 OK\r\n"
            case b"RCPT":
                self._recipients.append(line.partition(b"<")[2].partition(b">")[0])
                return b"250 2.1.5 OK\r\n"
            case b"DATA" if not self._recipients:
                return b"503 5.5.1 no recipient\r\n"
            case b"DATA":
                self._body = bytearray(b"\r\n")
                return b"354 go on\r\n"
            case b"QUIT":
                return b"221 2.0.0 bye\r\n"
            case _:
                return ANSWERS.get(verb, b"500 5.5.2 unknown command\r\n")

    def _body_ends(self, answers: list[bytes]) -> bool:
        body = self._body if self._body is not None else bytearray()
        searched = max(0, len(body) - len(END) + 1)
        body += self._buffer
        self._buffer = b""
        end = body.find(END, searched)
        if end < 0:
            if len(body) > LARGEST:
                answers.append(b"552 5.3.4 too large\r\n")
            return False
        self._buffer = bytes(body[end + len(END) :])
        self._body = None
        mail = bytes(body[2 : end + 2]).replace(b"\r\n..", b"\r\n.")
        self._mailbox.keep(self._recipients, mail)
        self._recipients = []
        answers.append(b"250 2.0.0 kept\r\n")
        return True


async def serve(mailbox: Mailbox) -> None:
    """Accept mail until told to stop."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await mailbox.start()
    await stopped.wait()
    await mailbox.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A local SMTP server that keeps every mail.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", type=Path)
    given = parser.parse_args()
    uvloop.run(serve(Mailbox(given.path, given.host, given.port)))
