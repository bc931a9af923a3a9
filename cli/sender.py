"""Posts batches of tracking events to `/v1/batch`, patiently."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from cli.errors import CommandError

TRIES = 12
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Item:
    """One event of the file as it is sent."""

    line: int
    content: Any
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that the server did not take, and why."""

    line: int
    message: str


@dataclass(slots=True)
class Sender:
    """A connection to one server."""

    client: httpx.Client
    key: str
    sleep: Callable[[float], None] = time.sleep
    retries: int = 0

    def send(self, batch: list[Item]) -> list[Refused]:
        """Send a batch, again and again if need be; what the server refused of it.

        Raises:
            CommandError: the server does not take it, or cannot be reached for minutes.
        """
        response = self._post(batch)
        if response.status_code == 413 and len(batch) > 1:
            half = len(batch) // 2
            return self.send(batch[:half]) + self.send(batch[half:])
        if response.status_code == 413:
            return [Refused(batch[0].line, said(response))]
        if response.status_code != 200:
            raise CommandError(
                f"the server answered {response.status_code}: {said(response)}; "
                f"go on later with --from-line {batch[0].line}"
            )
        return [
            Refused(batch[error["index"]].line, f"{error['code']}: {error['message']}")
            for error in response.json().get("errors", ())
        ]

    def _post(self, batch: list[Item]) -> httpx.Response:
        content = orjson.dumps({"batch": [item.content for item in batch]})
        pause, trouble = FIRST_PAUSE, ""
        for _ in range(TRIES):
            try:
                response = self.client.post(
                    "/v1/batch",
                    content=content,
                    auth=(self.key, ""),
                    headers={"Content-Type": "application/json"},
                )
            except httpx.TransportError as error:
                trouble, wanted = str(error) or type(error).__name__, None
            else:
                if response.status_code != 429 and response.status_code < 500:
                    return response
                trouble = f"{response.status_code}: {said(response)}"
                wanted = retry_after(response)
            self.retries += 1
            self.sleep(pause if wanted is None else wanted)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise CommandError(
            f"{self.client.base_url} does not take events ({trouble}); "
            f"go on later with --from-line {batch[0].line}"
        )


def said(response: httpx.Response) -> str:
    """What a refusal says in words."""
    try:
        answer = response.json()
    except ValueError:
        return response.text[:200] or response.reason_phrase
    return str(answer.get("message", answer)) if isinstance(answer, dict) else str(answer)[:200]


def retry_after(response: httpx.Response) -> float | None:
    """The pause in seconds that the server asks for; dates are not understood."""
    try:
        return min(max(float(response.headers["Retry-After"]), 0.0), 300.0)
    except (KeyError, ValueError):
        return None
