"""The compose file: valid by the compose specification, and in step with the rest.

`compose-spec.json` is the schema of github.com/compose-spec/compose-spec (Apache-2.0).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from embedded.temporal import SEARCH_ATTRIBUTES, UNLIMITED
from settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text())


@pytest.fixture(scope="module")
def compose() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    return loaded


def test_compose_file_is_valid(compose: Mapping[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(compose)


def test_schema_refuses_what_compose_would(compose: Mapping[str, Any]) -> None:
    wrong = {**compose, "services": {"api": {"imagee": "x"}}}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def test_every_service_that_stays_has_a_health_check(compose: Mapping[str, Any]) -> None:
    image = "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()

    for name, service in compose["services"].items():
        assert name == "migrate" or service.get("healthcheck") or ("build" in service and image)


def test_services_wait_for_services_that_are_there(compose: Mapping[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", ())) <= set(compose["services"])


def test_every_variable_is_a_setting(compose: Mapping[str, Any]) -> None:
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}

    for service in compose["services"].values():
        names = service.get("environment", {})
        assert {name for name in names if name.startswith(PREFIX)} <= settings


def test_temporal_is_started_as_the_embedded_one(compose: Mapping[str, Any]) -> None:
    command = compose["services"]["temporal"]["command"]

    for name, kind in SEARCH_ATTRIBUTES.items():
        assert f"--search-attribute={name}={kind}" in command
    for key, value in UNLIMITED.items():
        assert f"--dynamic-config-value={key}={value}" in command


def test_image_has_every_package_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests", "bench"}

    assert packages <= kept
    assert {"pyproject.toml", "uv.lock", "worker.py"} <= kept
