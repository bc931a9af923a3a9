"""Sends a file into a list, chunk by chunk and patiently; sent again it goes on where it was."""

import gzip
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any, TypeVar

from cli.audience.table_file import Piece, TableFile
from cli.client import AwayError, Server, ServerError
from cli.sender import FIRST_PAUSE, LONGEST_PAUSE, TRIES

AT_ONCE = 2  # chunks under way: the server reads one while it stores another
COMPLETING = 600.0  # seconds: where a list is replaced, many may have to leave
T = TypeVar("T")
Advance = Callable[[int, int], object]


@dataclass(slots=True)
class Upload:
    """One import on one server."""

    server: Server
    audience: str
    file: TableFile
    stopped: Event = field(default_factory=Event)

    def start(self, options: dict[str, Any]) -> dict[str, Any]:
        """The import, as far as it came before."""
        begun: dict[str, Any] = self.server.post(
            "audiences", self.audience, "imports", body=options
        )
        return begun

    def run(self, begun: dict[str, Any], advance: Advance) -> dict[str, Any]:
        """Send every chunk that is not done; what has become of all rows."""
        done, chunks = set(begun["done"]), 0
        under_way: deque[tuple[Piece, Future[None] | None]] = deque()

        def settle(room: int) -> None:
            while len(under_way) > room:
                piece, sent = under_way.popleft()
                if sent is not None:
                    sent.result()
                advance(piece.rows, len(piece.content))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for piece in self.file.pieces():
                    is_new = piece.number not in done
                    sent = pool.submit(self._send, begun["id"], piece) if is_new else None
                    under_way.append((piece, sent))
                    chunks += 1
                    settle(AT_ONCE)
                settle(0)
            finally:
                self.stopped.set()  # whoever still waits for the server gives up
        self.stopped.clear()
        return self._complete(begun["id"], chunks)

    def errors(self, id: str) -> Iterator[dict[str, Any]]:
        """The rows that were not taken, in the order of the file."""
        after: int | None = -1
        while after is not None:
            page = self.server.get(*self._of(id), "errors", after=after)
            yield from page["items"]
            after = page["next"]

    def _send(self, id: str, piece: Piece) -> None:
        content = gzip.compress(piece.content, compresslevel=1)
        headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
        path = (*self._of(id), "chunks", str(piece.number))
        self._patiently(
            lambda: self.server.send(*path, content=content, headers=headers, line=piece.line)
        )

    def _complete(self, id: str, chunks: int) -> dict[str, Any]:
        body = {"chunks": chunks}
        return self._patiently(
            lambda: self.server.post(*self._of(id), "complete", body=body, timeout=COMPLETING)
        )

    def _of(self, id: str) -> tuple[str, ...]:
        return "audiences", self.audience, "imports", id

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask again while the server is away or cannot serve, for some minutes."""
        pause = FIRST_PAUSE
        for _ in range(TRIES - 1):
            try:
                return ask()
            except AwayError:
                pass
            except ServerError as error:
                if error.status != 429 and error.status < 500:
                    raise
            if self.stopped.wait(pause):
                break
            pause = min(2 * pause, LONGEST_PAUSE)
        return ask()
