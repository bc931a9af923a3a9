"""OFREP as the unmodified providers of OpenFeature read it: Python's, and the web's under Node."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode

from storage.pool import Pool
from tests.http import sharing_app as app
from tests.http.sharing_app import ADMIN, BROWSER

PACKAGES = {"@openfeature/ofrep-web-provider": "0.4.3", "@openfeature/web-sdk": "1.10.0"}
SCRIPT = Path(__file__).with_name("ofrep_web.mjs")


@pytest.fixture
async def url(db: Pool) -> AsyncIterator[str]:
    """Ada is in `loyal` and in `pilot/a`, and her plan is shared."""
    await app.publish(db, "loyal", shared=True)
    parts = {"a": 50, "b": 50}
    await app.publish(db, "pilot", shared=True, kind="composition", union=["loyal"], parts=parts)
    ada = await app.person(db, "ada", plan="gold", visits=7, limits={"a": 1})
    await app.join(db, ada, "loyal", "pilot", "pilot/a")
    async with app.client_of(db, ADMIN) as client:
        names = ["plan", "visits", "limits", "city"]
        await client.put("/v1/shared-attributes", json={"names": names})
    async with app.served(db) as address:
        yield address


def provider(url: str, key: str = BROWSER) -> OFREPProvider:
    return OFREPProvider(url, headers_factory=lambda: {"Authorization": f"Bearer {key}"})


def evaluate(url: str) -> dict[str, Any]:
    """What a program sees that knows OpenFeature and nothing of us."""
    made = provider(url)
    api.set_provider(made, domain="parcours")
    client = api.get_client(domain="parcours")
    ada, bob = EvaluationContext("ada"), EvaluationContext("anonymous_id:bob")
    seen = {
        "loyal": client.get_boolean_details("loyal", False, ada),
        "part": client.get_boolean_details("pilot/a", False, ada),
        "other part": client.get_boolean_details("pilot/b", True, ada),
        "nobody": client.get_boolean_details("loyal", True, bob),
        "plan": client.get_string_details("customer.plan", "free", ada),
        "visits": client.get_integer_details("customer.visits", 0, ada),
        "limits": client.get_object_details("customer.limits", {}, ada),
        "unset": client.get_string_details("customer.city", "nowhere", ada),
        "unknown": client.get_boolean_details("nothing", True, ada),
        "keyless": client.get_boolean_details("loyal", True, EvaluationContext(None, {"a": 1})),
    }
    api.clear_providers()
    made.session.close()
    return seen


async def test_python_reads_audiences_and_attributes(url: str) -> None:
    seen = await asyncio.to_thread(evaluate, url)

    assert {name: one.value for name, one in seen.items()} == {
        "loyal": True, "part": True, "other part": False, "nobody": False,
        "plan": "gold", "visits": 7, "limits": {"a": 1}, "unset": "nowhere",
        "unknown": True, "keyless": True,
    }  # fmt: skip
    assert {name: one.error_code for name, one in seen.items() if one.error_code} == {
        "unknown": ErrorCode.FLAG_NOT_FOUND,
        "keyless": ErrorCode.TARGETING_KEY_MISSING,
    }
    assert (seen["loyal"].reason, seen["nobody"].reason) == ("TARGETING_MATCH", "DEFAULT")


async def installed() -> Path:
    """A folder outside the tree with the web's packages, kept between runs; else skips.

    Where WEB_PROVIDER is `required`, as in `.ci/run`, being without them is a failure.
    """
    without = pytest.fail if os.environ.get("WEB_PROVIDER") == "required" else pytest.skip
    if not shutil.which("node") or not shutil.which("npm"):
        without("node and npm are not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    names = [f"{name}@{version}" for name, version in PACKAGES.items()]
    folder = cache / "parcours-tests" / "-".join(one.rpartition("/")[2] for one in names)
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("package.json").write_text('{"private": true}', "utf-8")
        options = ["--no-audit", "--no-fund", "--ignore-scripts"]
        code, said = await run("npm", "install", *options, *names, within=folder)
        if code:
            without(f"npm cannot install {' and '.join(names)}: {said[-300:]}")
        folder.joinpath("complete").touch()
    return folder


async def run(*command: str, within: Path) -> tuple[int | None, str]:
    """The exit code of a command, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=within, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, said.decode()


async def test_the_web_reads_audiences_and_polls_by_etag(url: str) -> None:
    folder = await installed()
    folder.joinpath(SCRIPT.name).write_text(SCRIPT.read_text("utf-8"), "utf-8")

    code, said = await run("node", SCRIPT.name, url, BROWSER, within=folder)

    assert code == 0, said
    assert json.loads(said.splitlines()[-1]) == {
        "loyal": True,
        "part": True,
        "otherPart": False,
        "plan": "gold",
        "unset": "nowhere",
        "unknown": "FLAG_NOT_FOUND",
        "stranger": False,
        "statuses": [200, 304, 200],
    }
