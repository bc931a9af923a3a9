"""Carriers of messages: one file per provider, chosen by the scheme of a route's URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from channels.base import InvalidRouteError, Provider
from channels.signed_http import SignedHttp
from channels.smtp import Smtp
from channels.smtp_url import SmtpUrl

EMAIL = "email"


def utc_now() -> datetime:
    """The real present, for routes that are given no other clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Route:
    """Where one channel's messages go: a URL and, for signed HTTP, the secret to sign with."""

    url: str
    secret: str | None = field(default=None, repr=False)
    allow_private: bool = False
    connections: int = 20
    now: Callable[[], datetime] = utc_now


def smtp(route: Route) -> Provider:
    """Email through an SMTP server."""
    return Smtp(SmtpUrl.parse(route.url), size=route.connections, now=route.now)


def signed_http(route: Route) -> Provider:
    """Anything through a gateway that takes signed POSTs, whose signatures use real time."""
    if route.secret is None:
        raise InvalidRouteError("a signed HTTP route needs a secret (whsec_…)")
    return SignedHttp(route.url, route.secret, allow_private=route.allow_private)


PROVIDERS: Mapping[str, Callable[[Route], Provider]] = {
    "smtp": smtp,
    "smtps": smtp,
    "http": signed_http,
    "https": signed_http,
}


def open_providers(routes: Mapping[str, Route]) -> dict[str, Provider]:
    """One provider for each channel; connections are made when the first message needs them."""
    return {channel: open_provider(channel, route) for channel, route in routes.items()}


def open_provider(channel: str, route: Route) -> Provider:
    """The provider that a route's scheme names."""
    scheme = urlsplit(route.url).scheme
    maker = PROVIDERS.get(scheme)
    if maker is None:
        known = ", ".join(PROVIDERS)
        raise InvalidRouteError(f"channel {channel!r}: scheme {scheme!r} is none of {known}")
    if maker is smtp and channel != EMAIL:
        raise InvalidRouteError(f"channel {channel!r} cannot be carried by {scheme!r}")
    return maker(route)
