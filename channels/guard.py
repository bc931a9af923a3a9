"""HTTP to addresses that users give: never into our own network unless settings allow it.

The check sits where the connection is made, on the very address that is connected to, so that a
name which resolves differently a moment later gains nothing.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore
import httpx

from channels.base import PermanentFailure

CONNECTIONS = 100
KEPT = timedelta(seconds=30)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class ForbiddenAddress(PermanentFailure):
    """The host is, or resolves to, an address that must not be called from here."""


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name itself and connects only to the public ones of its addresses."""

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self._allowed(host, port, timeout):
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise ForbiddenAddress(f"socket {path!r} may not be called")

    async def sleep(self, seconds: float) -> None:
        """Part of the interface."""
        await asyncio.sleep(seconds)

    async def _allowed(self, host: str, port: int, timeout: float | None) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [address for address in addresses if is_public(address)]
        if addresses and not allowed:
            raise ForbiddenAddress(f"{host} is not a public address; settings do not allow others")
        return allowed


def is_public(text: str) -> bool:
    """Whether an address is one of the open Internet's; a v6 address may stand for a v4 one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = embedded_address(address)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def embedded_address(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The v4 address behind a mapped, 6to4 or NAT64 one."""
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def guarded_client(allow_private: bool, timeout: timedelta) -> httpx.AsyncClient:
    """A client without redirects, cookies, proxies or netrc; guarded unless told otherwise."""
    transport = httpx.AsyncHTTPTransport(trust_env=False)
    if not allow_private:
        transport._pool = httpcore.AsyncConnectionPool(  # httpx has no public way to a backend
            ssl_context=ssl.create_default_context(),
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS,
            keepalive_expiry=KEPT.total_seconds(),
            network_backend=GuardedBackend(),
        )
    return httpx.AsyncClient(
        transport=transport,
        timeout=timeout.total_seconds(),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"accept-encoding": "identity", "user-agent": "parcours"},
    )


async def read_limited(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """At most `limit` bytes of a streamed response as sent, and whether that was all of it."""
    data = b""
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > limit:
            return data[:limit], False
    return data, True
