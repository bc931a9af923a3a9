"""A supervisor for test_children: keeps one sleeping child in the directory it is given."""

import asyncio
import sys
from pathlib import Path

from embedded.children import Child, Children


async def main(directory: Path) -> None:
    async with Children(directory) as children:
        await children.start(Child("sleeper", ["sleep", "600"]))
        print(children.pid("sleeper"), flush=True)
        await asyncio.sleep(600)


asyncio.run(main(Path(sys.argv[1])))
