"""Connects to Temporal with values that a composition root hands in."""

from dataclasses import dataclass

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import TLSConfig


@dataclass(frozen=True, slots=True)
class Address:
    """Where Temporal is and how we are let in."""

    target: str
    namespace: str = "default"
    api_key: str | None = None
    tls: TLSConfig | None = None


async def connect(address: Address, converter: DataConverter, *, lazy: bool) -> Client:
    """A client; a lazy one connects when it is first needed, which workers cannot use.

    Raises:
        RuntimeError: Temporal is away, and the client is not lazy.
    """
    return await Client.connect(
        address.target,
        namespace=address.namespace,
        api_key=address.api_key,
        tls=address.tls if address.tls is not None else address.api_key is not None,
        data_converter=converter,
        lazy=lazy,
    )
