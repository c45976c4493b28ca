"""What a write says, for shops that take it differently."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml

from talk_pipeline.engine.model import ChildEdit
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.templates import Known
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.bodies import Composer
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.joining import check_lists
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline_tests.flow_files import flows_in

ADDRESS: dict[str, Json] = {"line1": "Street 1", "city": "Town", "door": "4"}
CURRENT: dict[str, Json] = {"id": "1", "address": ADDRESS, "note": "kept"}


def composer(tmp_path: Path, entity: str = "", flow: str = "customer") -> Composer:
    file = tmp_path / "shop.yaml"
    entities = {"customers": "", "products": "", "orders": ""}
    entities[f"{flow}s"] = entity
    text = "".join(f"  {name}:\n    path: /{name}\n{said}" for name, said in entities.items())
    file.write_text(f"name: Shop\nauth: {{type: none}}\nentities:\n{text}")
    flows = flows_in()
    shop = load_description(file, flows=flows)
    return Composer(Reader(flows[flow], shop.collections[f"{flow}s"], shop.moments))


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (Call(), {"address": {"city": "New"}}),
        (Call(objects="whole"), {"address": {"line1": "Street 1", "city": "New", "door": "4"}}),
        (
            Call(objects="whole", without=("address.door",), along=("address.door",)),
            {"address": {"line1": "Street 1", "city": "New", "door": "4"}},
        ),
        (
            Call(objects="whole", without=("address.door",)),
            {"address": {"line1": "Street 1", "city": "New"}},
        ),
        (Call(whole=True), {**CURRENT, "address": {**ADDRESS, "city": "New"}}),
        (
            Call(whole=True, without=("id", "note")),
            {"address": {"line1": "Street 1", "city": "New", "door": "4"}},
        ),
        (Call(envelope="data.customer"), {"data": {"customer": {"address": {"city": "New"}}}}),
        (Call(whole=True, at="address"), {"line1": "Street 1", "city": "New", "door": "4"}),
        (Call(constants={"type": "x"}), {"address": {"city": "New"}, "type": "x"}),
        (Call(along=("id", "gone")), {"address": {"city": "New"}, "id": "1"}),
        (Call(along=("address.door", "other.id")), {"address": {"city": "New", "door": "4"}}),
        (Call(envelope="[0]", along=("id",)), [{"address": {"city": "New"}, "id": "1"}]),
        (Call(envelope="[0].customer"), [{"customer": {"address": {"city": "New"}}}]),
    ],
)
def test_an_update_says_what_the_call_wants(tmp_path: Path, call: Call, body: Any) -> None:
    made = composer(tmp_path).body(
        call, names=["address.city"], values={"address.city": "New"}, children={}, current=CURRENT
    )
    assert json.loads(made) == body


def test_a_whole_object_leaves_out_what_is_never_sent_back(tmp_path: Path) -> None:
    current: Json = {"address": {"id": 7, "line1": "Street 1", "city": "Town", "door": "4"}}
    made = composer(tmp_path, "    read_only: [address.id]\n").body(
        Call(objects="whole"),
        names=["address.city"],
        values={"address.city": "New"},
        children={},
        current=current,
    )
    assert json.loads(made) == {"address": {"line1": "Street 1", "city": "New", "door": "4"}}


@pytest.mark.parametrize(
    ("said", "blank"), [("", None), ("    blank: empty\n", ""), ("    blank: false\n", False)]
)
def test_a_text_that_is_gone_is_written_as_the_shop_takes_it(
    tmp_path: Path, said: str, blank: str | bool | None
) -> None:
    fields = "    fields: {active: {type: bool}, contact_name: {join: [first, last]}}\n"
    names = ["phone", "active", "contact_name", "address.city"]
    values = {"phone": None, "active": None, "contact_name": None, "address.city": "New"}
    made = composer(tmp_path, said + fields).body(
        Call(), names=names, values=values, children={}, current=CURRENT
    )
    assert json.loads(made) == {
        "phone": blank,
        "active": None,
        "first": blank,
        "last": blank,
        "address": {"city": "New"},
    }


def test_a_whole_record_keeps_its_attributes_and_not_what_was_joined_to_it(tmp_path: Path) -> None:
    """An `@` begins the attributes of XML and the words of JSON-LD as well."""
    own: dict[str, Json] = {"@id": "/customers/1", "@type": "Customer", "company_name": "Old"}
    made = composer(tmp_path, '    parts: {home: "{item}/home"}\n').body(
        Call(whole=True),
        names=["company_name"],
        values={"company_name": "New"},
        children={},
        current={**own, "@home": {"city": "Town"}, "@children": {"notes": []}},
    )
    assert json.loads(made) == {**own, "company_name": "New"}


def test_an_entry_of_a_list_goes_with_the_whole_list(tmp_path: Path) -> None:
    current: Json = {
        "id": "1",
        "meta": [{"id": 7, "key": "vat", "value": "1"}, {"id": 8, "key": "x", "value": "2"}],
    }
    said = '    fields: {organization_number: "meta[key=vat].value", email: "meta[key=mail].value"}\n'
    made = composer(tmp_path, said).body(
        Call(),
        names=["organization_number", "email"],
        values={"organization_number": "9", "email": "a@b.example"},
        children={},
        current=current,
    )
    assert json.loads(made)["meta"] == [
        {"id": 7, "key": "vat", "value": "9"},
        {"id": 8, "key": "x", "value": "2"},
        {"key": "mail", "value": "a@b.example"},
    ]


def test_a_form_names_what_is_inside(tmp_path: Path) -> None:
    said = """    bodies: form
    fields: {email: {path: "mails[0]"}, active: {type: bool}, website: {write: [www, profile.www]}}
"""
    values = {"address.city": "New & old", "active": "true", "website": None, "email": "a@b.example"}
    made = composer(tmp_path, said).body(
        Call(envelope="customer"), names=[*values], values=values, children={}, current=CURRENT
    )
    assert parse_qsl(made.decode(), keep_blank_values=True) == [
        ("customer[address][city]", "New & old"),
        ("customer[active]", "1"),
        ("customer[www]", ""),
        ("customer[profile][www]", ""),
        ("customer[mails][0]", "a@b.example"),
    ]


@pytest.mark.parametrize(
    ("held", "value", "sent"),
    [
        (["One", "Two"], None, ["One"]),
        (["One"], None, ["One"]),
        (["One"], "Two", ["One", "Two"]),
        (["One", "Two"], "Three", ["One", "Three"]),
    ],
)
def test_a_plain_list_has_no_blank_at_its_end(tmp_path: Path, held: Any, value: Any, sent: Any) -> None:
    made = composer(tmp_path, '    fields: {website: "street[1]"}\n').body(
        Call(), names=["website"], values={"website": value}, children={}, current={"id": "1", "street": held}
    )
    assert json.loads(made)["street"] == sent


def test_lines_read_elsewhere_are_written_in_the_record(tmp_path: Path) -> None:
    said = (
        'url: "{item}/rows", write: products, untouched: omitted, remove: {quantity: 0}, where: {kind: goods}'
    )
    current: Json = {"id": "1", "@children": {"lines": [{"id": "1", "kind": "goods", "quantity": "3"}]}}
    edits = (ChildEdit("delete", "1", {}), ChildEdit("create", None, {"quantity": "9"}))
    made = composer(tmp_path, f"    children: {{lines: {{{said}}}}}\n", "order").body(
        Call(), names=[], values={}, children={"lines": edits}, current=current
    )
    assert json.loads(made) == {"products": [{"id": "1", "quantity": 0}, {"kind": "goods", "quantity": "9"}]}


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        (
            "",
            [
                {"id": "1", "quantity": "5", "sku": "A"},
                {"id": "2", "quantity": "1", "sku": "B"},
                {"quantity": "9"},
            ],
        ),
        ("untouched: id", [{"id": "1", "quantity": "5"}, {"id": "2"}, {"quantity": "9"}]),
        (
            "untouched: omitted, remove: {quantity: 0}",
            [{"id": "1", "quantity": "5"}, {"id": "3", "quantity": 0}, {"quantity": "9"}],
        ),
        (
            "read_only: [sku], remove: {quantity: 0}",
            [
                {"id": "1", "quantity": "5"},
                {"id": "2", "quantity": "1"},
                {"id": "3", "quantity": 0},
                {"quantity": "9"},
            ],
        ),
    ],
)
def test_lines_go_as_the_shop_takes_them(tmp_path: Path, said: str, rows: Any) -> None:
    held: list[Json] = [
        {"id": str(n), "quantity": str(n == 1 and 3 or 1), "sku": "ABC"[n - 1]} for n in (1, 2, 3)
    ]
    edits = (
        ChildEdit("update", "1", {"quantity": "5"}),
        ChildEdit("delete", "3", {}),
        ChildEdit("create", None, {"quantity": "9"}),
    )
    entity = f"    children: {{lines: {{path: lines{', ' + said if said else ''}}}}}\n"
    made = composer(tmp_path, entity, "order").body(
        Call(), names=[], values={}, children={"lines": edits}, current={"id": "1", "lines": held}
    )
    assert json.loads(made)["lines"] == rows


META = '    fields: {website: {path: "@extra.website", write: "meta[key=site].value"}}\n'


@pytest.mark.parametrize(
    ("before", "sent"),
    [
        ({"@extra": {"website": "www.a.example"}}, {"meta": [{"key": "site", "value": None}]}),
        (
            {"@extra": {"website": "www.a.example"}, "meta": [{"key": "size", "value": "L"}]},
            {"meta": [{"key": "size", "value": "L"}, {"key": "site", "value": None}]},
        ),
        ({"@extra": {"website": None}}, {}),
    ],
)
def test_what_is_emptied_is_said_where_it_is_written(tmp_path: Path, before: Any, sent: Any) -> None:
    """Read at one place and written at another: the list at hand does not show the entry that is to go."""
    fields = META + '    parts: {extra: "{item}/extra"}\n'
    made = composer(tmp_path, fields).body(
        Call(), names=["website"], values={"website": None}, children={}, current={"id": "1", **before}
    )
    assert json.loads(made) == sent


@pytest.mark.parametrize("said", ["untouched: id", "untouched: omitted, remove: {quantity: 0}"])
def test_an_entry_without_id_is_not_named_by_it(tmp_path: Path, said: str) -> None:
    current: Json = {"id": "1", "lines": [{"quantity": "1"}, {"quantity": "2"}]}
    edits = {"lines": (ChildEdit("delete", "0", {}),)}
    made = composer(tmp_path, f"    children: {{lines: {{path: lines, {said}}}}}\n", "order")
    with pytest.raises(UnexpectedShapeFault, match="lines: an entry has no 'id'"):
        made.body(Call(), names=[], values={}, children=edits, current=current)


@pytest.mark.parametrize("call", [Call(), Call(whole=True)])
def test_entries_that_a_shop_keys_by_their_ids_stay_keyed(tmp_path: Path, call: Call) -> None:
    rows: dict[str, Json] = {key: {"id": key, "quantity": "1", "note": key} for key in ("a", "b")}
    current: Json = {"id": "1", "lines": rows}
    edits = {"lines": (ChildEdit("delete", "a", {}), ChildEdit("update", "b", {"quantity": "2"}))}
    made = composer(tmp_path, "    children: {lines: {path: lines}}\n", "order")
    body = json.loads(made.body(call, names=[], values={}, children=edits, current=current))
    assert body["lines"] == {"b": {"id": "b", "quantity": "2", "note": "b"}}
    untouched = made.body(Call(whole=True), names=[], values={}, children={}, current=current)
    assert json.loads(untouched)["lines"] == rows
    new = {"lines": (ChildEdit("create", None, {"quantity": "3"}),)}
    with pytest.raises(UnexpectedShapeFault, match="lines: the shop keys them by their ids"):
        made.body(call, names=[], values={}, children=new, current=current)


def test_an_object_whose_entries_do_not_say_their_ids_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    made = composer(tmp_path, "    children: {lines: {path: lines, id: no}}\n", "order")
    data: Json = {"id": "1", "lines": {"a": {"quantity": "1"}}}
    with pytest.raises(UnexpectedShapeFault, match="each entry says its id too, here at 'no'"):
        check_lists(made._reader, data, payload="")


HELD: Json = {
    "id": "7",
    "created": "2026",
    "default": "true",
    "street": "Street 1",
    "geo": {"x": "1", "y": "2"},
}
AT = 'at: "addresses[default=true]"'


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (AT, {"street": "New", "geo": {"x": "5"}}),
        (f'{AT}, along: ["addresses[default=true].id"]', {"id": "7", "street": "New", "geo": {"x": "5"}}),
        (
            f'{AT}, whole: true, without: ["addresses[default=true].created"]',
            {"id": "7", "default": "true", "street": "New", "geo": {"x": "5", "y": "2"}},
        ),
    ],
)
def test_an_entry_of_a_list_by_itself_says_what_changes(tmp_path: Path, said: str, sent: Any) -> None:
    fields = """    fields:
      address: {line1: "addresses[default=true].street", line2: "addresses[default=true].geo.x"}
"""
    call = Call.model_validate(yaml.safe_load(f"{{{said}}}"))
    values = {"address.line1": "New", "address.line2": "5"}
    current: Json = {"id": "1", "addresses": [{"id": "6"}, HELD]}
    made = composer(tmp_path, fields).body(call, names=values, values=values, children={}, current=current)
    assert json.loads(made) == sent
    new = composer(tmp_path, fields).body(call, names=values, values=values, children={}, current={"id": "1"})
    assert json.loads(new) == {"default": True, "street": "New", "geo": {"x": "5"}}


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("", {"quantity": "5"}),
        ("whole: true", {"id": "1", "sku": "A", "quantity": "5"}),
        ("whole: true, without: [id]", {"sku": "A", "quantity": "5"}),
    ],
)
def test_a_line_by_itself_says_what_is_declared(tmp_path: Path, said: str, sent: Any) -> None:
    entity = f'    children: {{lines: {{url: "{{item}}/lines", read_only: [made.at], update: {{{said}}}}}}}\n'
    made = composer(tmp_path, entity, "order")
    lines = dict(made._reader.lists())["lines"]
    row: Json = {"id": "1", "sku": "A", "quantity": "3", "made": {"at": "2026"}}
    body = made.line(
        "lines",
        lines,
        lines.update[0],
        edit=ChildEdit("update", "1", {"quantity": "5"}),
        current={"id": "9", "@children": {"lines": [row]}},
        root={},
        names=["quantity"],
        known=Known({"id": "9"}, {"id": "9"}),
    )
    told = json.loads(body)
    told.pop("made", None)
    assert told == sent
