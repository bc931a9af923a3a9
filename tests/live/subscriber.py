"""A subscriber over real HTTP: verifies with the reference library, and can be away for a while."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from standardwebhooks import Webhook

Judge = Callable[[dict[str, Any]], int]


@dataclass(frozen=True, slots=True)
class Got:
    """One event as it was posted."""

    id: str
    body: bytes
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        """The event itself."""
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Receiver:
    """What a subscriber got and took, in order; `judge` says with which status it answers."""

    port: int
    secret: str = ""
    taken: list[Got] = field(default_factory=list)
    asked: int = 0
    judge: Judge = lambda event: 204
    delay: float = 0.0
    _server: uvicorn.Server | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hooks"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request (ASGI)."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.secret:
            Webhook(self.secret).verify(body, headers)
        status = self.judge(json.loads(body))
        if status < 300:
            self.taken.append(Got(headers["webhook-id"], body, headers))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def start(self) -> None:
        """Be there."""
        config = uvicorn.Config(
            self, "127.0.0.1", self.port, log_config=None, lifespan="off",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Be away; the port refuses connections then."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = None

    async def until(self, count: int, within: float = 20.0) -> None:
        """Return once it has taken so many."""
        async with asyncio.timeout(within):
            while len(self.taken) < count:
                await asyncio.sleep(0.02)

    def names(self) -> list[tuple[str, str, str]]:
        """Type, audience and first external id of each event that it took."""
        return [
            (e["type"], e["data"]["audience"], e["data"]["ids"][0]["value"])
            for e in (one.event for one in self.taken)
        ]

    def repeats(self) -> Counter[str]:
        """How often each id was taken."""
        return Counter(one.id for one in self.taken)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A subscriber that is there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Receiver(port)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
