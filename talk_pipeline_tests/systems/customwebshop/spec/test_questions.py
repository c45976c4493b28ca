"""What is sent to ask for something of a record."""

import json

from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline.systems.customwebshop.spec.questions import asked_of
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline_tests.flow_files import flows_in


def test_an_id_alone_is_said_as_the_record_says_it() -> None:
    entity = load_description(REFERENCE, flows=flows_in()).collections["customers"]
    body = {"filter": [{"field": "customer", "value": "{id}"}], "about": "customers/{id}"}
    asked = asked_of(entity, "/addresses", body, "7", record={"id": 7})
    assert json.loads(asked.content or b"") == {
        "filter": [{"field": "customer", "value": 7}],
        "about": "customers/7",
    }
    unknown = asked_of(entity, "/addresses", body, "7")
    assert json.loads(unknown.content or b"")["filter"][0]["value"] == "7"
