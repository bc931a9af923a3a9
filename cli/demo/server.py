"""The demo's own system as everybody sees it: over HTTP."""

from collections.abc import Mapping
from typing import Any, Self

import httpx

from cli.demo.scene import Tally
from cli.errors import CommandError
from cli.files import Loaded
from journeys.why import Why

PAGE = 500
TIMEOUT = 30.0
Json = dict[str, Any]


class Server:
    """The routes that need an admin key; an asynchronous context."""

    def __init__(self, url: str, admin_key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=TIMEOUT,
            trust_env=False,
            headers={"Authorization": f"Bearer {admin_key}"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def publish(self, loaded: Loaded) -> None:
        """Make a version of a journey file."""
        templates = {name: {"parts": one.parts} for name, one in loaded.templates.items()}
        name = loaded.journey.journey
        body = {"definition": loaded.definition, "templates": templates}
        await self._ask("PUT", f"/v1/journeys/{name}", json=body)

    async def report(self, journey: str) -> Json:
        """What became of everybody who entered a journey."""
        return await self._ask("GET", f"/v1/journeys/{journey}/report")

    async def tally(self, journey: str) -> Tally:
        """The same in a line."""
        report = await self.report(journey)
        messages: dict[str, int] = {}
        for row in report["messages"]:
            messages[row["state"]] = messages.get(row["state"], 0) + row["count"]
        return Tally(
            journey,
            report["entered"],
            report["still_inside"],
            report["goal"]["met"] if report["goal"] else 0,
            messages,
        )

    async def messages(self, **narrowed: str) -> list[Json]:
        """All messages, sent and not sent."""
        return await self._all("/v1/messages", narrowed)

    async def inside(self) -> list[Json]:
        """All instances that are not over."""
        return await self._all("/v1/instances", {"state": "inside"})

    async def why(self, customer: str, journey: str) -> Why:
        """Why a customer got what it got of one journey, and did not."""
        path = f"/v1/customers/{customer}/why"
        return Why.model_validate(await self._ask("GET", path, params={"journey": journey}))

    async def unrouted(self) -> int:
        """How many events wait for the router; an event that could not be routed ends the demo."""
        ready = await self._ask("GET", "/health/ready")
        if ready["parked"]:
            raise CommandError(f"{ready['parked']} events of the demo could not be routed")
        return int(ready["unrouted"])

    async def _all(self, path: str, narrowed: Mapping[str, str]) -> list[Json]:
        items: list[Json] = []
        after: str | None = None
        while True:
            page = {**narrowed, "limit": PAGE, **({"after": after} if after else {})}
            answer = await self._ask("GET", path, params=page)
            items += answer["items"]
            after = answer["next"]
            if after is None:
                return items

    async def _ask(self, method: str, path: str, **rest: Any) -> Json:
        try:
            response = await self._client.request(method, path, **rest)
        except httpx.HTTPError as error:
            raise CommandError(
                f"the API does not answer {method} {path}: {error or type(error).__name__}"
            ) from error
        if response.is_error:
            raise CommandError(
                f"{method} {path} was answered {response.status_code}: {response.text[:500]}"
            )
        answer: Json = response.json()
        return answer
