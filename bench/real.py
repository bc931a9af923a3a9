"""A real shop's year, posted into a running system and held against the simulation.

    python -m bench.real FILE [--lines N]

Posts the file with `parcours replay`, shifted so that it ends now, waits until every event is
routed, and compares who entered first on which event with what `parcours simulate` says of the
same shifted file.
"""

import argparse
import asyncio
import gzip
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import asyncpg
import uvloop

from bench.ingest import KEY
from bench.servers import ROOT, Servers, module, ready, servers
from cli.files import load
from embedded.temporal import port_near
from storage import journeys
from storage.connection import prepare

JOURNEY = ROOT / "examples" / "win-back.yaml"
ROUTED_WITHIN = 3600.0


async def run(file: Path, lines: int | None) -> dict[str, float | int]:
    """The figures of both ways; raises AssertionError where they differ."""
    with tempfile.TemporaryDirectory(prefix="parcours-real-") as folder:
        part = Path(folder, "events.jsonl")
        posted = await asyncio.to_thread(cut, file, part, lines)
        to = datetime.now(UTC).isoformat()
        simulated = await simulation(part, to)
        async with servers(Path(folder)) as up:
            figures, entered = await live(up, part, to, posted)
    if entered != simulated["first_entries"]:
        different = {
            user: (entered.get(user), simulated["first_entries"].get(user))
            for user in entered.keys() | simulated["first_entries"].keys()
            if entered.get(user) != simulated["first_entries"].get(user)
        }
        raise AssertionError(f"{len(different)} customers entered differently: {different}")
    return {**figures, "events": posted, "entered_first_alike": len(entered)}


def cut(file: Path, part: Path, lines: int | None) -> int:
    """The first lines of the file, or all; how many."""
    with gzip.open(file, "rb") as source, part.open("wb") as target:
        count = 0
        for line in islice(source, lines):
            target.write(line)
            count += 1
    return count


async def parcours(*arguments: str) -> str:
    """Run the command line in a process of its own; its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from cli.main import main; main()", *arguments, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    if process.returncode:
        raise AssertionError(errors.decode() + output.decode())
    return output.decode()


async def simulation(part: Path, to: str) -> dict[str, dict[str, str]]:
    """What the simulation says of the journey."""
    report = json.loads(
        await parcours(
            "simulate", str(JOURNEY), "--events", str(part), "--shift-to", to, "--format", "json"
        )
    )
    first: dict[str, dict[str, str]] = report["journeys"][0]
    return first


async def live(
    up: Servers, part: Path, to: str, posted: int
) -> tuple[dict[str, float | int], dict[str, str]]:
    """Replay the file into real processes; figures, and who entered first on which event."""
    connection = await asyncpg.connect(up.postgres.url)
    await prepare(connection)
    loaded = load(JOURNEY)
    templates = {name: one.model_dump() for name, one in loaded.templates.items()}
    await journeys.publish(
        connection, "win-back", "real", loaded.definition, templates, datetime.now(UTC)
    )
    port = port_near(0)
    environment = {
        "PARCOURS_DATABASE_URL": up.postgres.url,
        "PARCOURS_TEMPORAL_ADDRESS": up.temporal.address,
        "PARCOURS_SMTP_URL": f"smtp://127.0.0.1:{up.mailbox.port}",
        "PARCOURS_HTTP_PORT": str(port),
        "PARCOURS_LATE_EVENT_LIMIT": "800d",
    }
    folder = up.directory
    async with (
        module("api", environment, folder / "api.log"),
        module("worker", environment, folder / "worker.log"),
    ):
        await ready(port)
        begun = time.perf_counter()
        url = f"http://127.0.0.1:{port}"
        await parcours("replay", str(part), "--url", url, "--key", KEY, "--shift-to", to)
        accepted = time.perf_counter() - begun
        async with asyncio.timeout(ROUTED_WITHIN):
            while left := await connection.fetchval("SELECT count(*) FROM inbox"):
                print(f"\r{left:>7} events to route", end="", file=sys.stderr)
                await asyncio.sleep(1)
        routed = time.perf_counter() - begun
    stored = await connection.fetchval("SELECT count(*) FROM events")
    if stored != posted:
        raise AssertionError(f"{stored} of {posted} events are stored")
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (x.value) x.value AS user_id, e.message_id
        FROM instances i
        JOIN external_ids x ON x.customer = i.customer AND x.kind = 'user_id'
        JOIN events e ON e.id = i.entry_event
        ORDER BY x.value, i.entered_at, i.registered_at
        """
    )
    customers = await connection.fetchval(
        "SELECT count(DISTINCT value) FROM external_ids WHERE kind = 'user_id'"
    )
    await connection.close()
    figures: dict[str, float | int] = {
        "accepted_per_s": posted / accepted,
        "routed_per_s": posted / routed,
        "customers_with_ids": customers,
    }
    return figures, {row["user_id"]: row["message_id"] for row in rows}


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=None)
    options = parser.parse_args()
    print(json.dumps(uvloop.run(run(options.file, options.lines)), indent=2))


if __name__ == "__main__":
    main()
