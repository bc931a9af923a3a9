"""Has the Temporal SDK fetch its program: `python -m embedded.download FOLDER`."""

import asyncio
import os
import socket
import sys

from temporalio.testing import WorkflowEnvironment

HOST = "temporal.download"
REACHED_WITHIN = 5.0


async def fetch(folder: str) -> None:
    """Start and stop the SDK's development server, which leaves the program behind."""
    if not any(name.lower() == "https_proxy" for name in os.environ):
        with socket.create_connection((HOST, 443), timeout=REACHED_WITHIN):
            pass
    server = await WorkflowEnvironment.start_local(
        download_dest_dir=folder, dev_server_download_version="latest"
    )
    await server.shutdown()


if __name__ == "__main__":
    try:
        asyncio.run(fetch(sys.argv[1]))
    except (OSError, RuntimeError) as error:
        sys.exit(f"{HOST}: {error}")
