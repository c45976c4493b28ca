"""Records that others name, and records that are sums: what a description may say of them, and what not."""

from pathlib import Path

import pytest

from talk_pipeline.flows.loading import PACKAGED as FLOWS
from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline.systems.businesscentral.behaviour import behaving
from talk_pipeline.systems.businesscentral.entities import PACKAGED, load_entities
from talk_pipeline.systems.businesscentral.fitting import check_flows
from talk_pipeline.systems.businesscentral.rows import Asked
from talk_pipeline_tests.flow_files import copied_flows

THINGS = """\
entity: things
api: sample/things/v1.0
beside:
  owner: {named_by: ownerId, set: owners, within: {areaId: areaId}, properties: {code: code(10)}}
  boss: {way: people, where: {role: Boss}, properties: {number: code(20)}}
properties:
  id: guid read
  ownerId: guid
  areaId: guid
  lastModifiedDateTime: datetime read
"""
LEVELS = (PACKAGED / "stockLevels.yaml").read_text(encoding="utf-8").replace("stockLevels", "things")
OF_THINGS = [
    ("named_by: ownerId, ", "", 4, "beside.owner.named_by: named_by and set go together"),
    (
        "named_by: ownerId",
        "named_by: owner",
        4,
        "beside.owner.named_by: there is no property 'owner'; allowed",
    ),
    (
        "{areaId: areaId}",
        "{areaId: area}",
        4,
        "beside.owner.named_by: there is no property 'area'; allowed: id",
    ),
    (
        "properties: {code: code(10)}",
        "property: x",
        4,
        "beside.owner.property: unknown key; allowed: way, where",
    ),
    ("  boss:", "  ownerId:", 5, "beside.ownerId: there is a property of that name"),
]
OF_LEVELS = [
    ("grouped_by: [itemNo, locationCode]\n", "", 10, "sums: sums go with grouped_by"),
    ("sums: [remainingQuantity]", "sums: [itemNo]", 11, "sums: itemNo is no number: code(20) read"),
    (
        "sums: [remainingQuantity]",
        "sums: [quantity]",
        11,
        "sums: there is no property 'quantity'; allowed: id",
    ),
    ("modified: ~", "modified: id", 7, "modified: records made of rows are read alone, in full"),
    ("writes: []", "writes: [create]", 8, "writes: records made of rows are read alone, in full"),
    (
        "id: text read # made of both",
        "id: int read",
        4,
        "key: is made of what is grouped by: a text of its own",
    ),
    (
        "properties:",
        "beside: {item: {properties: {code: code(10)}}}\nproperties:",
        12,
        "beside: records made of rows say what the rows say themselves",
    ),
]


@pytest.mark.parametrize(
    ("text", "was", "instead", "line", "says"),
    [*((THINGS, *one) for one in OF_THINGS), *((LEVELS, *one) for one in OF_LEVELS)],
)
def test_a_mistake_is_named_by_file_line_and_key(
    tmp_path: Path, text: str, was: str, instead: str, line: int, says: str
) -> None:
    assert was in text
    (file := tmp_path / "things.yaml").write_text(text.replace(was, instead, 1), encoding="utf-8")
    with pytest.raises(FlowError) as caught:
        load_entities(tmp_path)
    assert f"{says}" in str(caught.value)
    assert str(file) in str(caught.value)


def test_flows_name_what_is_shown_and_are_told_its_type(tmp_path: Path) -> None:
    (tmp_path / "things.yaml").write_text(THINGS, encoding="utf-8")
    things = load_entities(tmp_path)["things"]
    assert {name: str(kind) for name, kind in things.kinds.items() if "." in name} == {
        "owner.code": "code(10)",
        "boss.number": "code(20) read",
    }
    read = things.decoder(("id", "owner.code", "boss.number"))
    people = [{"role": "Clerk", "number": "1"}, {"role": "Boss", "number": "2"}]
    assert read({"id": "a", "owner": {"code": "X"}, "people": people}) == {
        "id": "a",
        "owner.code": "X",
        "boss.number": "2",
    }
    assert read({"id": "a", "owner": None, "people": []})["owner.code"] is None


ROWS = [
    (
        "bc: itemVariant.code, type: code(10)",
        "children.lines.properties.14: colour: itemVariant.code is found by itemId, which the flow does not write",
    ),
    ("bc: item.code, type: code(10)", "salesOrderLines has no property 'item.code'; allowed: id"),
    ("bc: location.code, type: text(20)", "colour: lets 20 characters through, but location.code"),
]


@pytest.mark.parametrize(("row", "says"), ROWS)
def test_what_a_flow_may_not_ask_is_named(tmp_path: Path, row: str, says: str) -> None:
    folder = copied_flows(
        tmp_path / "flows", order=("product_id,       dir: <->", "product_id,       dir: <-")
    )
    added = f"adds_to: order\nchildren: {{lines: {{properties: [{{shop: colour, dir: <->, {row}}}]}}}}\n"
    (folder / "mine.yaml").write_text(added, encoding="utf-8")
    told = list(check_flows(load_flows(folder), folder, load_entities()))
    assert any(says.rpartition(": ")[2] in one and f"{folder / 'mine.yaml'}:2: " in one for one in told), told


def test_what_finds_one_goes_along_and_what_it_sets_anew_does(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path / "flows")
    for name in ("order_variants", "order_terms"):
        text = (FLOWS / "additions" / f"{name}.yaml").read_text(encoding="utf-8")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    entities = load_entities()
    order = behaving(load_flows(folder), entities)["order"]
    lines = order.part("order.lines").by_name
    assert "product_id" in lines["variant"].send_with
    assert "variant" in lines["product_id"].send_with
    assert {"payment_terms", "salesperson"} <= set(order.root.by_name["customer_id"].send_with)
    assert order.guard
    assert "shipment_method" in order.guard.withholds
    assert {"variant", "location"} <= set(order.guard.withholds_lines)
    expand = Asked(order, entities["salesOrders"]).query["$expand"]
    assert "paymentTerm($select=code)" in expand
    assert "location($select=code)" in expand.partition("salesOrderLines(")[2]
