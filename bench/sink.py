"""A mail server that keeps no mail and counts every one.

    python -m bench.sink --port N --out FILE

SIGUSR1 has it write how often it took each message id, as JSON; the end does so too.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

import uvloop

from embedded.mailbox import Mailbox


async def serve(port: int, out: Path) -> None:
    """Take mail until told to stop."""
    mailbox, stopped = Mailbox(None, port=port), asyncio.Event()

    def write() -> None:
        part = out.with_suffix(".part")
        part.write_text(json.dumps(mailbox.message_ids))
        part.rename(out)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, write)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await mailbox.start()
    await stopped.wait()
    write()
    await mailbox.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.out))
