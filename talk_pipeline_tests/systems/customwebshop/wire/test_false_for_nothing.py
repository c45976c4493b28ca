"""A shop that has false wherever nothing is."""

import json
from pathlib import Path

import pytest

from talk_pipeline.engine.model import ChildEdit
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline_tests.systems.customwebshop.wire.test_bodies import composer

CUSTOMER = """
    blank: false
    modified: [write_date, create_date]
    fields:
      company_name: {join: [first, last]}
      phone: {values: {"": unknown}}
      active: {type: bool}
"""
ORDER = """
    blank: false
    children: {lines: {path: rows, where: {kind: ""}}}
"""


def test_it_is_read_as_nothing_wherever_it_stands(tmp_path: Path) -> None:
    reader = composer(tmp_path, CUSTOMER)._reader
    row: dict[str, Json] = {"id": "1", "first": "Jane", "last": False, "phone": False, "active": False}
    said = reader.values(row)
    assert [said[name] for name in ("company_name", "phone", "active")] == ["Jane", "unknown", "false"]
    assert said["email"] is None
    assert reader.values({**row, "first": False, "email": False})["company_name"] is None
    assert reader.modified_at({**row, "write_date": False, "create_date": "2026-01-02T03:04:05Z"}) is not None
    assert reader.modified_at({**row, "write_date": False}) is None


@pytest.mark.parametrize(("kind", "meant"), [(False, True), ("section", False), (None, True)])
def test_entries_that_have_it_are_those_of_nothing(tmp_path: Path, kind: Json, meant: bool) -> None:
    reader = composer(tmp_path, ORDER, "order")._reader
    payload = json.dumps({"id": "1", "rows": [{"id": "7", "kind": kind, "quantity": 2}]})
    assert len(reader.contents(payload).children["lines"]) == meant
    row = ChildEdit("create", None, {"quantity": "2"})
    made = composer(tmp_path, ORDER, "order")
    body = made.body(Call(), names=[], values={}, children={"lines": (row,)}, current=json.loads(payload))
    assert all("kind" not in one for one in json.loads(body)["rows"][1:]), "nothing is said of it"


def test_what_a_shop_insists_on_stands_for_it(tmp_path: Path) -> None:
    call = Call(defaults={"email": "none@example.com", "active": True})
    shown: dict[str, Json] = {"id": "1", "email": "a@example.com", "active": False}
    made = composer(tmp_path, CUSTOMER)
    body = made.body(call, names=["email"], values={"email": None}, children={}, current=shown)
    assert json.loads(body) == {"email": "none@example.com"}, "what is false itself is no blank"
