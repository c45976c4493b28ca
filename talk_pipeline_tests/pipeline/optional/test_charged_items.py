"""Charges that are items of Business Central themselves, as freight often is: no line of the order's products."""

from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline_tests.audit.planting import named
from talk_pipeline_tests.flow_files import copied_flows, edited_flows, replaced
from talk_pipeline_tests.pipeline.charges import FEE, FEES, FREIGHT, NAMED, Charged, Row
from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.records import line, order, product
from talk_pipeline_tests.world import World

AN_ITEM = "shipping_type: Item, " + NAMED[1].replace(f'"{FREIGHT}"', "CARRIAGE")


@pytest.fixture
def carried(charging: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A company whose freight is an item, which is no product of the shop."""
    edited_flows(tmp_path, monkeypatch, order=(f"shipping_type: Account, {NAMED[0]}", AN_ITEM))
    body = {"number": "CARRIAGE", "displayName": "Carriage", "type": "Service", "unitPrice": 10}
    charging.bc.post("items", {**body, "baseUnitOfMeasureCode": "PCS"})
    return charging


def _carriage(placed: Charged) -> list[Row]:
    return [row for row in placed.bc["salesOrderLines"] if row["lineObjectNumber"] == "CARRIAGE"]


def test_freight_that_is_an_item_follows_both_ways(carried: World) -> None:
    placed = Charged(carried, shipping_amount="79.00", fees=[FEE])
    assert not carried.step().failed()
    assert [(row["lineType"], row["quantity"], row["unitPrice"]) for row in _carriage(placed)] == [
        ("Item", 1, 79)
    ]
    placed.agree()
    placed.edit(shipping_amount="50.00")
    placed.step()
    assert [row["unitPrice"] for row in _carriage(placed)] == [50]
    placed.agree()
    placed.change(_carriage(placed)[0], unitPrice=61)
    placed.step()
    assert Decimal(placed.shop["shipping_amount"]) == 61
    assert len(placed.shop["lines"]) == 1, "it is no line of the shop's order"
    placed.agree()
    carried.bc.delete("salesOrderLines", _carriage(placed)[0]["id"])
    placed.step()
    assert not Decimal(placed.shop["shipping_amount"] or 0)
    placed.agree()
    placed.add("CARRIAGE", 12, lineType="Item")
    placed.step()
    assert Decimal(placed.shop["shipping_amount"]) == 12
    assert [row["lineObjectNumber"] for row in placed.charges()] == [FEES]
    placed.agree()


def test_a_product_that_freight_is_charged_as_is_no_line_of_an_order(carried: World) -> None:
    goods = carried.shop.post("products", product("CARRIAGE"))["id"]
    placed = Charged(carried, shipping_amount="79.00")
    carried.step()
    kept = [{"id": one["id"]} for one in placed.shop["lines"]]
    placed.edit(lines=[*kept, line(goods, "2", "30.00")])
    placed.step()
    state, reason = carried.state("order", placed.id) or ("", "")
    assert (state, reason.split(" ", 2)[2]) == (
        "waiting",
        "sku is CARRIAGE in Business Central, which is for shipping",
    )
    another = carried.shop.post("orders", order("O2", placed.buyer, [line(goods, "1", "30.00")]))["id"]
    placed.step()
    assert (carried.state("order", another) or ("",))[0] == "waiting"
    assert len(carried.bc.orders()) == 1
    assert [row["unitPrice"] for row in _carriage(placed)] == [79]
    assert len(placed.shop["lines"]) == 2, "and nothing is taken away from the shop"


def test_the_audit_knows_freight_from_products(carried: World) -> None:
    Charged(carried, shipping_amount="79.00", fees=[FEE])
    carried.step()
    assert not named()


@pytest.mark.parametrize("profile", ["cents"])
def test_freight_is_no_product_of_a_shop_without_freight(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not world.charges("order")
    edited_flows(tmp_path, monkeypatch, order=(f"shipping_type: Account, {NAMED[0]}", AN_ITEM))
    carriage = world.shop.post("products", product("CARRIAGE"))["id"]
    placed = Charged(world)
    assert not world.step().failed()
    placed.add("CARRIAGE", 12, lineType="Item")
    placed.step()
    assert [row["product_id"] for row in placed.shop["lines"]] == [placed.lamp] != [carriage]
    assert not named()


@pytest.fixture
def papers(carried: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same company, which tells its shop what it posts."""
    folder = with_optional(carried, tmp_path, monkeypatch, "shipment", "invoice", "refund")
    file = folder / "order.yaml"
    edited = replaced(file.read_text(encoding="utf-8"), (f"shipping_type: Account, {NAMED[0]}", AN_ITEM))
    file.write_text(edited, encoding="utf-8")
    return carried


def test_freight_that_is_an_item_is_no_product_on_what_is_posted_either(papers: World) -> None:
    placed = Charged(papers, shipping_amount="79.00")
    assert not papers.step().failed()
    bc_id = placed.bc_id
    papers.bc.control(f"sales-orders/{bc_id}/ship", {})
    papers.bc.control(f"sales-orders/{bc_id}/invoice", {})
    assert not papers.step().failed()
    (invoice,), (shipment,) = papers.shop.all("invoices").values(), papers.shop.all("shipments").values()
    for told in (invoice, shipment):
        assert [(row["product_id"], row["quantity"]) for row in told["lines"]] == [(placed.lamp, "2")]
    assert invoice["total_excl_tax"] == "279.00"

    sent = [{"product_id": placed.lamp, "quantity": "1", "unit_price": "100.00"}]
    row = {"order_id": placed.id, "invoice_id": invoice["id"], "date": "2026-03-09", "lines": sent}
    key = papers.shop.post("refunds", row)["id"]
    assert not papers.step().failed()
    (memo,) = papers.bc.all("salesCreditMemos")
    carriage = {"lineType": "Item", "lineObjectNumber": "CARRIAGE", "quantity": 1, "unitPrice": 79}
    papers.bc.post(f"salesCreditMemos({memo})/salesCreditMemoLines", carriage)
    assert not papers.step().failed()
    told = papers.shop.get("refunds", key)
    assert [row["product_id"] for row in told["lines"]] == [placed.lamp]
    assert told["total_excl_tax"] == "179.00"
    assert papers.step(full=True).writes() == 0
    assert not named()


@pytest.mark.parametrize("other", ["goods", "lines"], ids=["of no such", "of what leaves as another"])
def test_what_is_left_as_nobody_leaves_it_is_refused(tmp_path: Path, other: str) -> None:
    folder = copied_flows(
        tmp_path / "flows", order=("    scope: {lineType: Item}", f"    leaves_as: order.{other}")
    )
    told = f"children.lines.leaves_as: no collection that tells by itself .* 'order.{other}'; allowed: order"
    with pytest.raises(FlowError, match=told):
        load_flows(folder)


def test_what_no_value_tells_apart_is_refused(tmp_path: Path) -> None:
    """Two collections of which neither asks for more than the other."""
    one = ("shipping_type: Account", "shipping_type: Item, shipping_number: CARRIAGE")
    beside = replaced(one[1], ("shipping", "fee"))
    text = copied_flows(tmp_path / "flows").joinpath("order.yaml")
    text.write_text(
        replaced(
            text.read_text(encoding="utf-8"),
            (f'{one[0]}, shipping_number: ""', one[1]),
            ('fee_type: Account, fee_number: ""', beside),
        ),
        encoding="utf-8",
    )
    with pytest.raises(FlowError, match="children.fees.scope: takes the same children .* as shipping"):
        load_flows(tmp_path / "flows")


def test_charges_that_no_total_counts_are_refused(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path / "flows", order=("[lines, shipping, fees]", "[lines, shipping]"))
    with pytest.raises(FlowError, match="children.fees.comes_to: no composed_of names it: add fees"):
        load_flows(folder)
