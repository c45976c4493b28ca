"""The documents that are made from the code say what the code does, and say it of everything."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from talk_pipeline.engine.kinds import HoldKind, Status
from talk_pipeline.flows.loading import PACKAGED, read_yaml
from talk_pipeline.flows.schema import addition_schema, flow_schema
from talk_pipeline_tests.docs.documents import ROOT, documents
from talk_pipeline_tests.docs.flow_keys import PLACES

FLOW_FILES = sorted(PACKAGED.rglob("*.yaml"))


def test_every_document_is_as_the_code_makes_it() -> None:
    stale = [path for path, text in documents().items() if (ROOT / path).read_text(encoding="utf-8") != text]
    assert not stale, "run make docs"


def test_every_key_of_a_flow_file_is_told() -> None:
    places = {model.__name__ for model in PLACES.values()}
    told = {*flow_schema()["$defs"], *addition_schema()["$defs"]}
    assert told - {"Side"} <= places, "a model of the vocabulary has no place on the page"
    undescribed = [
        f"{model.__name__}.{name}"
        for model in PLACES.values()
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert not undescribed


@pytest.mark.parametrize("file", FLOW_FILES, ids=lambda file: file.stem)
def test_the_schema_allows_the_packaged_flows(file: Path) -> None:
    said = _read(file)
    jsonschema.validate(said, addition_schema() if "adds_to" in said else flow_schema())


def test_the_schema_refuses_an_unknown_key() -> None:
    data = _read(PACKAGED / "customer.yaml")
    data["properties"][0]["bcc"] = "number"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, flow_schema())


def _read(file: Path) -> Any:
    """As an editor reads it."""
    return json.loads(json.dumps(read_yaml(file)[0], default=float))


def _rows(page: str, heading: str) -> set[str]:
    """The first cells of the table below a heading."""
    text = (
        (ROOT / "docs" / page).read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    )
    return set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_every_state_and_every_hold_has_its_way_out() -> None:
    assert _rows("operating.md", "Every state, and its way out") == {*Status, "active"}
    assert _rows("operating.md", "Why a change is not written") == set(HoldKind)
