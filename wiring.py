"""What composition roots make of the settings before they connect."""

from pathlib import Path

from temporalio.service import TLSConfig

from settings import Settings
from workflows.connect import Address


def temporal_address(settings: Settings) -> Address:
    """Where Temporal is and how we are let in."""
    key = settings.temporal_api_key
    tls = TLSConfig(
        server_root_ca_cert=read(settings.temporal_tls_server_root_ca_cert),
        domain=settings.temporal_tls_server_name,
        client_cert=read(settings.temporal_tls_client_cert),
        client_private_key=read(settings.temporal_tls_client_private_key),
    )
    return Address(
        target=str(settings.temporal_address),
        namespace=settings.temporal_namespace,
        api_key=key.get_secret_value() if key else None,
        tls=tls if settings.uses_temporal_tls else None,
    )


def read(path: Path | None) -> bytes | None:
    """A file's content, where one is named."""
    return path.read_bytes() if path is not None else None
