"""The HTTP API's description: the published one is current, and complete enough to build on."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.app import assembled

REFRESH = "run: python -m api.openapi > docs/openapi.json"
PUBLISHED = Path(__file__).parent.parent.parent / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as it is served."""
    return assembled().openapi()


def test_the_published_document_is_current(document: dict[str, Any]) -> None:
    published = json.loads(PUBLISHED.read_text())

    assert published == json.loads(json.dumps(document)), REFRESH


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    silent = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if not operation.get("description") and not operation.get("summary")
    ]

    assert silent == []


def test_every_named_security_scheme_is_defined(document: dict[str, Any]) -> None:
    named = {
        scheme
        for operations in document["paths"].values()
        for operation in operations.values()
        for alternative in operation.get("security", [])
        for scheme in alternative
    }

    assert named <= document["components"]["securitySchemes"].keys()
