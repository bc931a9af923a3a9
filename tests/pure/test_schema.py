"""The JSON Schema for editors is current, and accepts what the reader accepts."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from journeys.document import read
from journeys.schema import journey_schema

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    """The schema as editors use it."""
    Draft202012Validator.check_schema(journey_schema())
    return Draft202012Validator(journey_schema())


def journey(**wait: Any) -> dict[str, Any]:
    """A journey of one wait."""
    return {"journey": "j", "entry": {}, "steps": [{"id": "w", "kind": "wait", **wait}]}


def test_the_published_schema_is_current() -> None:
    published = (ROOT / "docs" / "journey.schema.json").read_text()

    assert json.loads(published) == journey_schema(), (
        "run: parcours schema > docs/journey.schema.json"
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_fit_the_schema(schema: Draft202012Validator, path: Path) -> None:
    schema.validate(read(path.read_text(), path.name).data)


@pytest.mark.parametrize(
    ("wait", "fits"),
    [
        ({"duration": "1d"}, True),
        ({"window": {"from": "22:00", "to": "06:00", "weekdays": ["fri"]}}, True),
        ({}, False),
        ({"duration": "1d", "until": "2026-12-24T09:00:00Z"}, False),
        ({"duration": "soon"}, False),
        ({"next": {"time": "9 am"}}, False),
        ({"duration": "1d", "unknown": 1}, False),
    ],
)
def test_the_schema_knows_a_wait(
    schema: Draft202012Validator, wait: dict[str, Any], fits: bool
) -> None:
    assert schema.is_valid(journey(**wait)) is fits
