"""What comes beside the records of an answer, and these refer to, is joined to them by a description."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.included import with_included
from talk_pipeline_tests.flow_files import edited_flows, flows_in, replaced
from talk_pipeline_tests.systems.customwebshop.shops.compound_shop import CompoundShop, described
from talk_pipeline_tests.systems.customwebshop.shops.door import connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.resource_shop import TOKEN
from talk_pipeline_tests.systems.customwebshop.shops.test_resource_shop import Resources
from talk_pipeline_tests.world import World


@pytest.fixture
def compound(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resources]:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    (tmp_path / "shop.yaml").write_text(described(), encoding="utf-8")
    shop = CompoundShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, token=f"Token {TOKEN}", connector=tmp_path / "shop.yaml")
        yield Resources(shop, world)


def test_lines_beside_their_orders_travel_there_and_back(
    compound: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    compound.fill()
    compound.run()
    compound.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    shop, bc = compound.shop, compound.world.bc
    assert isinstance(shop, CompoundShop)
    assert [row["quantity"] for row in compound.lines_there()] == [2, 2, 2]
    compound.line_of("3")
    shop.edit("lines", min(shop.tables["lines"], key=int), quantity="7")
    compound.run()
    assert [row["quantity"] for row in compound.lines_there()] == [7, 2, 2, 3]
    compound.quiet()

    first, second, *_ = compound.lines_there()
    bc.patch("salesOrderLines", first["id"], {"quantity": 4})
    bc.delete("salesOrderLines", second["id"])
    order = compound.there("order", compound.order)
    other = compound.there("product", min(shop.tables["products"], key=int))
    entry = {"lineType": "Item", "itemId": other, "quantity": 5, "unitPrice": 9}
    bc.post(f"salesOrders({order})/salesOrderLines", entry)
    bc.patch("salesOrders", order, {"requestedDeliveryDate": "2027-01-31"})
    compound.run()
    assert [row["quantity"] for row in compound.lines_here()] == ["4", "2", "3", "5"]
    assert shop.tables["orders"][compound.order]["delivery"] == "2027-01-31"
    compound.quiet()
    assert not [one for one in shop.asked if one.startswith("GET") and "/lines" in one], "none is asked for"
    assert not unexplained()


def test_what_an_answer_leaves_out_is_no_removal(compound: Resources) -> None:
    compound.fill()
    compound.run()
    shop = compound.shop
    assert isinstance(shop, CompoundShop)
    shop.forgets = min(shop.tables["lines"], key=int)
    shop.edit("orders", compound.order, status="open")
    run = compound.world.step()
    assert "'relationships.lines.data' refers to" in str(run.problems)
    assert "which is not at 'included' of the answer: ask for it by `query`" in str(run.problems)
    assert [row["quantity"] for row in compound.lines_there()] == [2, 2, 2]
    shop.forgets = None
    compound.run()
    compound.quiet()


def test_a_reference_may_be_an_id_alone_and_be_blank(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        described()
        .replace("included: {at: included, by: [type, id]}", "included: {at: beside.lines}")
        .replace("{refers: relationships.lines.data}", "{refers: line_ids, empty: [null]}"),
        encoding="utf-8",
    )
    entity = load_description(tmp_path / "shop.yaml", flows=flows_in()).collections["orders"]
    body = b'{"beside": {"lines": [{"id": 7, "price": 1.50}, {"id": "8"}]}}'
    one, other = '{"id": 1, "line_ids": [8, "7"]}', '{"id": 2, "line_ids": null}'
    joined = with_included(entity, body, [one, other])
    assert joined == [
        '{"id": 1, "line_ids": [8, "7"],"@lines":[{"id": "8"},{"id": 7, "price": 1.50}]}',
        other,
    ]
    for row, what in (
        ('{"id": 3}', "a record has nothing at 'line_ids'"),
        ('{"line_ids": 9}', "refers to 9"),
    ):
        with pytest.raises(UnexpectedShapeFault, match=what):
            with_included(entity, body, [row])


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("    included: {at: included, by: [type, id]}\n", "", "parts.lines.refers: needs included"),
        ("{refers: relationships.lines.data}", "{at: x}", "parts.lines: says path, or refers"),
        (
            'url: "{record:relationships.lines.links.related}"',
            'empty: ["{}"]',
            "children.lines.path: @lines is joined to the record, and not written: say url, or write",
        ),
    ],
)
def test_what_cannot_be_joined_or_written_is_told(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    (tmp_path / "shop.yaml").write_text(replaced(described(), (before, after)), encoding="utf-8")
    with pytest.raises(FlowError) as told:
        load_description(tmp_path / "shop.yaml", flows=flows_in())
    assert problem in str(told.value)
