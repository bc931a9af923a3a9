"""The JSON Schema of journey files, for editors."""

from typing import Any

from journeys.definition import Journey
from journeys.steps.wait import FORMS, Wait

ID = "urn:parcours:journey"


def journey_schema() -> dict[str, Any]:
    """The schema, from the models and their docstrings."""
    schema = Journey.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    wait = definitions[Wait.__name__]
    wait["oneOf"] = [{"required": [form]} for form in FORMS]
    for definition in definitions.values():
        if "kind" in definition.get("properties", {}):
            definition["required"] = sorted({*definition.get("required", ()), "kind"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        **schema,
        "title": "Parcours journey",
    }
