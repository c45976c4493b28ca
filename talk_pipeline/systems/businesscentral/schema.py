"""The vocabulary of descriptions of entity sets as a JSON Schema, for editors that check while one writes.

`make docs` writes it anew after the vocabulary changed.
"""

from pathlib import Path

from talk_pipeline.flows import schema as json_schema
from talk_pipeline.systems.businesscentral.description import EntitySet

FILE = Path(__file__).parent / "entity.schema.json"


def text() -> str:
    """The schema as it stands in its file."""
    return json_schema.text(json_schema.headed(EntitySet.model_json_schema(), "Entity set"))
