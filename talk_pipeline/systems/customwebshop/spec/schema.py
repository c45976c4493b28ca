"""The vocabulary of shop descriptions as a JSON Schema, for editors that complete and check while one writes.

`make docs` writes it anew after the vocabulary changed.
"""

from pathlib import Path
from typing import Any

from talk_pipeline.flows import schema as json_schema
from talk_pipeline.systems.customwebshop.spec.description import Description

FILE = Path(__file__).parents[1] / "connector.schema.json"


def connector_schema() -> dict[str, Any]:
    """The schema, with the short forms a file may use."""
    schema = json_schema.headed(Description.model_json_schema(), "Shop description")
    definitions = schema["$defs"]
    definitions["Property"] = {
        "description": "A path; nothing where the shop has no such property; or how it is told; or a group",
        "anyOf": [
            {"type": "string"},
            {"type": "null"},
            {"$ref": "#/$defs/Field"},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/Property"}},
        ],
    }
    for model in ("Entity", "Lines"):
        definitions[model]["properties"]["fields"] = {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/Property"},
            "description": "the flow's property -> where the shop has it; by default at its own name",
        }
    definitions["Entity"]["properties"]["parts"]["additionalProperties"] = {
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/Elsewhere"}]
    }
    described: dict[str, Any]
    for described in (schema, definitions["Entity"], definitions["Lines"]):
        for calls in ("create", "update", "delete"):
            listed = {key: value for key, value in described["properties"][calls].items() if key != "default"}
            described["properties"][calls] = {"anyOf": [{"$ref": "#/$defs/Call"}, listed, {"const": "none"}]}
    return schema


def text() -> str:
    """The schema as it stands in its file."""
    return json_schema.text(connector_schema())
