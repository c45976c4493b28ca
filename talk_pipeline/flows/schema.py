"""The vocabulary of flow files as a JSON Schema, for editors that complete and check while one writes.

`make docs` writes it anew after the vocabulary changed. How a schema is written is here for all that there are.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from talk_pipeline.flows.composed import Addition
from talk_pipeline.flows.vocabulary import Flow

FILE = Path(__file__).parent / "flow.schema.json"
ADDITION_FILE = Path(__file__).parent / "addition.schema.json"


def flow_schema() -> dict[str, Any]:
    """The schema, with the short forms a file may use."""
    schema = headed(Flow.model_json_schema(), "Flow")
    definitions = schema["$defs"]
    for model, short in (("Limit", {"type": "integer"}), ("Condition", {"type": "array"})):
        definitions[model] = {
            "description": definitions[model]["description"],
            "anyOf": [short, definitions[model]],
        }
    schema["properties"].pop("shop_lacks", None)
    named = definitions["Settings"]["properties"]
    named["settle_seconds"] = named["quiet_seconds"] | {"deprecated": True}
    return schema


def addition_schema() -> dict[str, Any]:
    """The schema of files that add to a flow."""
    return headed(Addition.model_json_schema(), "Addition")


def headed(schema: Mapping[str, Any], title: str) -> dict[str, Any]:
    """A model's schema with what stands at the head of a file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def text(schema: Mapping[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
