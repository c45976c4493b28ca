"""The vocabulary of flow files as a JSON Schema, for editors that complete and check while one writes.

`make docs` writes it anew after the vocabulary changed.
"""

import json
from pathlib import Path
from typing import Any

from talk_pipeline.flows.composed import Addition
from talk_pipeline.flows.vocabulary import Flow

FILE = Path(__file__).parent / "flow.schema.json"
ADDITION_FILE = Path(__file__).parent / "addition.schema.json"


def flow_schema() -> dict[str, Any]:
    """The schema, with the short forms a file may use."""
    schema = Flow.model_json_schema()
    definitions = schema["$defs"]
    for model, short in (("Limit", {"type": "integer"}), ("Condition", {"type": "array"})):
        definitions[model] = {
            "description": definitions[model]["description"],
            "anyOf": [short, definitions[model]],
        }
    schema["properties"].pop("shop_lacks", None)
    named = definitions["Settings"]["properties"]
    named["settle_seconds"] = named["quiet_seconds"] | {"deprecated": True}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Flow"}


def addition_schema() -> dict[str, Any]:
    """The schema of files that add to a flow."""
    schema = Addition.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Addition"}


def text(schema: dict[str, Any] | None = None) -> str:
    """A schema as it stands in its file, by default that of flows."""
    return json.dumps(schema or flow_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
