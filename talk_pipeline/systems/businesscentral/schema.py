"""The vocabulary of descriptions of entity sets as a JSON Schema, for editors that check while one writes.

`make docs` writes it anew after the vocabulary changed.
"""

import json
from pathlib import Path

from talk_pipeline.systems.businesscentral.description import EntitySet

FILE = Path(__file__).parent / "entity.schema.json"


def text() -> str:
    """The schema as it stands in its file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **EntitySet.model_json_schema(),
        "title": "Entity set",
    }
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
