"""The address of an SMTP server as written in settings."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from channels.base import InvalidRouteError

PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpUrl:
    """Where to submit mail, and as whom; `smtps` is TLS from the first byte."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    is_tls: bool = False

    @classmethod
    def parse(cls, text: str) -> "SmtpUrl":
        """Read `smtp[s]://[user:password@]host[:port]`; errors never repeat the password."""
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError as error:
            raise InvalidRouteError(f"SMTP URL: {error}") from None
        if url.scheme not in PORTS:
            raise InvalidRouteError(f"SMTP URL: scheme {url.scheme!r} is neither smtp nor smtps")
        if not url.hostname:
            raise InvalidRouteError("SMTP URL: there is no host; write smtp://host:port")
        if url.path not in {"", "/"} or url.query or url.fragment:
            raise InvalidRouteError("SMTP URL: nothing may follow host and port")
        if (url.username is None) != (url.password is None):
            raise InvalidRouteError(
                "SMTP URL: user and password go together, as user:password@host"
            )
        return cls(
            host=url.hostname,
            port=PORTS[url.scheme] if port is None else port,
            user=None if url.username is None else unquote(url.username),
            password=None if url.password is None else unquote(url.password),
            is_tls=url.scheme == "smtps",
        )
