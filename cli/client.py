"""A server of Parcours as the commands see it, over its HTTP API."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from cli.errors import CommandError
from settings import Settings, load

TIMEOUT = 30.0
ROWS = 120.0  # seconds for thousands of rows: others may be importing the same customers

Fetch = Callable[[str, int | None], tuple[dict[str, Any], dict[str, Any]]]

Url = Annotated[str | None, typer.Option("--url", help="The server, if not this machine's.")]
Key = Annotated[str | None, typer.Option("--key", help="An admin key; PARCOURS_ADMIN_KEY is one.")]


class AwayError(CommandError):
    """The server does not answer."""


class ServerError(CommandError):
    """The server refused, and said why."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(sentence(status, problem))
        self.status = status
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Server:
    """Asks one server; whatever goes wrong is a CommandError that says what to do."""

    client: httpx.Client

    def get(self, *path: str, **query: str | int | Sequence[str] | None) -> Any:
        """What a route answers."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=given)

    def put(self, *path: str, body: Mapping[str, Any]) -> Any:
        """What a route answers to a body."""
        return self._ask("PUT", path, json=body)

    def post(
        self, *path: str, body: Mapping[str, Any] | None = None, timeout: float = TIMEOUT
    ) -> Any:
        """What a route answers, with or without a body."""
        return self._ask("POST", path, json=body, timeout=timeout)

    def delete(self, *path: str) -> None:
        """Have what is there deleted."""
        self._ask("DELETE", path)

    def send(self, *path: str, content: bytes, headers: Mapping[str, str], line: int) -> Any:
        """What a route answers to rows of a file that begin at a line."""
        return self._ask(
            "PUT", path, content=content, headers=headers, params={"line": line}, timeout=ROWS
        )

    def journey(self, name: str, version: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The definition and templates of a published journey."""
        found = self.get("journeys", name, version=version)
        return found["definition"], found["templates"]

    def _ask(self, method: str, path: tuple[str, ...], **more: Any) -> Any:
        route = "/v1/" + "/".join(quote(part, safe="") for part in path)
        base = str(self.client.base_url).rstrip("/")
        try:
            response = self.client.request(method, route, **more)
        except httpx.ConnectError as error:
            raise AwayError(
                f"nothing answers at {base}; start Parcours with `parcours up`, or name its "
                "address with --url"
            ) from error
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise AwayError(f"{base} does not answer: {said}") from error
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            answer = response.json()
        except ValueError:
            raise CommandError(
                f"{base} is no Parcours: it answered {response.status_code} without JSON; "
                "look at --url and PARCOURS_HTTP_PORT"
            ) from None
        if response.is_error:
            raise ServerError(response.status_code, answer if isinstance(answer, dict) else {})
        return answer


def sentence(status: int, problem: Mapping[str, Any]) -> str:
    """A refusal in words, with what to do about it."""
    detail = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
    if status == 401:
        return (
            "the server does not know this admin key; give --key or set PARCOURS_ADMIN_KEY "
            "(`parcours up` shows the key that it makes at its first start)"
        )
    if status == 503:
        return f"the server cannot serve at the moment ({problem.get('title')}); {detail}"
    return detail


def server(url: str | None, key: str | None) -> Server:
    """The server that the options name, else the settings."""
    settings = load()
    key = key or (settings.admin_key.get_secret_value() if settings.admin_key else None)
    if key is None:
        raise CommandError(
            "an admin key is needed: give --key, set PARCOURS_ADMIN_KEY; "
            "`parcours up` shows the one that it makes at its first start"
        )
    client = httpx.Client(
        base_url=url or local(settings),
        timeout=TIMEOUT,
        trust_env=url is not None,  # a proxy has no business between us and this machine
        headers={"Authorization": f"Bearer {key}"},
    )
    return Server(client)


def local(settings: Settings) -> str:
    """Where this machine's API is."""
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host
    return f"http://{host}:{settings.http_port}"


def fetching(url: str | None, key: str | None) -> Fetch:
    """Fetches published journeys; the settings are read only when one is asked for."""
    return lambda name, version: server(url, key).journey(name, version)
