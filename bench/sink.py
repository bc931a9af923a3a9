"""A mail server that keeps no mail and counts every one, at as little cost as it can.

    python -m bench.sink --port N --out FILE

SIGUSR1 has it write how often it took each message id, as JSON; the end does so too.
"""

import argparse
import asyncio
import json
import signal
from collections import Counter
from pathlib import Path
from typing import cast

import uvloop

HELLO = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 33554432\r\n250 8BITMIME\r\n"
ENVELOPE = b"250 2.0.0 OK\r\n250 2.1.5 OK\r\n354 go on\r\n"
KEPT = b"250 2.0.0 kept\r\n"
END = b"\r\n.\r\n"
ANSWERS = {
    b"EHLO": HELLO,
    b"HELO": b"250 sink\r\n",
    b"MAIL": b"250 2.0.0 OK\r\n",
    b"RCPT": b"250 2.1.5 OK\r\n",
    b"DATA": b"354 go on\r\n",
    b"RSET": b"250 2.0.0 OK\r\n",
    b"NOOP": b"250 2.0.0 OK\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}

Counted = Counter[bytes]


class Session(asyncio.Protocol):
    """One client, who is believed to speak as Parcours does."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._transport: asyncio.Transport
        self._rest = b""
        self._in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Called by asyncio: a body's end and the next envelope, as a rule."""
        given, answers = self._rest + data, b""
        while given:
            if self._in_body:
                body, found, given = given.partition(END)
                if not found:
                    given = body
                    break
                self._count(body)
                self._in_body = False
                answers += KEPT
            elif given.startswith(b"MAIL") and given.endswith(b"DATA\r\n") and is_three(given):
                self._in_body, given = True, b""
                answers += ENVELOPE
            else:
                line, found, rest = given.partition(b"\r\n")
                if not found:
                    break
                answers += ANSWERS.get(line[:4].upper(), b"500 5.5.2 unknown command\r\n")
                self._in_body, given = line[:4].upper() == b"DATA", rest
        self._rest = given
        if answers:
            self._transport.write(answers)

    def _count(self, body: bytes) -> None:
        start = body.index(b"Message-ID: <") + len(b"Message-ID: <")
        self._counted[body[start : body.index(b"@", start)]] += 1


def is_three(given: bytes) -> bool:
    """Whether these are three lines."""
    return given.count(b"\n") == 3


async def serve(port: int, out: Path) -> None:
    """Take mail until told to stop."""
    counted, stopped = Counted(), asyncio.Event()

    def write() -> None:
        part = out.with_suffix(".part")
        part.write_text(json.dumps({id.decode(): times for id, times in counted.items()}))
        part.rename(out)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, write)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: Session(counted), "127.0.0.1", port)
    await stopped.wait()
    write()
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.out))
