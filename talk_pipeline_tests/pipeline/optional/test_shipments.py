"""Shipments: what Business Central ships of an order is told in the shop, line by line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from talk_pipeline.cli.main import app
from talk_pipeline_tests.pipeline.by_hand import link
from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.records import line, order
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World


@pytest.fixture
def sold(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sold:
    with_optional(world, tmp_path, monkeypatch, "shipment")
    return Sold(world)


def test_each_shipment_is_told_with_its_lines(sold: Sold) -> None:
    sold.office("ship", 2, 1.5)
    sold.sync()
    (first,) = sold.documents("shipments")
    (there,) = sold.world.bc.all("salesShipments").values()
    assert (first["number"], first["order_id"], first["date"]) == (
        there["number"],
        sold.id,
        there["postingDate"],
    )
    assert sold.lines("shipped_quantity") == ["2", "1.5"]
    assert sold.world.shop.get("orders", sold.id)["status"] == "processing"
    sold.quiet()

    sold.office("ship")
    sold.sync()
    assert [[row["quantity"] for row in one["lines"]] for one in sold.documents("shipments")] == [
        ["2", "1.5"],
        ["3.5"],
    ]
    assert sold.lines("shipped_quantity") == ["2", "5.0"]
    assert sold.world.shop.get("orders", sold.id)["status"] == "shipped"
    sold.quiet()


@pytest.mark.slow
def test_what_an_order_shipped_that_is_posted_and_gone_is_told(sold: Sold) -> None:
    sold.office("ship")
    sold.office("invoice")
    sold.sync()
    assert sold.world.state("order", sold.id) == (
        "closed",
        "posted in Business Central: its story ended there",
    )
    assert sold.lines("shipped_quantity") == ["2", "5"]
    sold.quiet()
    assert not unexplained()


@pytest.mark.slow
def test_a_shipment_of_another_order_stays_where_it_is_until_that_is_linked(sold: Sold) -> None:
    customer_id = sold.world.counterpart("customer", sold.buyer)
    other = sold.world.bc.post(
        "salesOrders",
        {"customerId": customer_id, "orderDate": "2026-03-02", "externalDocumentNumber": "PO 7"},
    )
    item = sold.world.counterpart("product", sold.items[0])
    sold.world.bc.post(
        f"salesOrders({other['id']})/salesOrderLines", {"itemId": item, "quantity": 3, "unitPrice": 9}
    )
    sold.world.bc.control(f"sales-orders/{other['id']}/ship", {})
    sold.sync()
    assert not sold.documents("shipments")
    sold.quiet()
    (there,) = sold.world.bc.all("salesShipments")
    told = CliRunner().invoke(app, ["explain", "shipment", there]).output
    assert f"order_id erp_number:{other['number']} is not linked" in told

    # somebody enters it in the shop too, and says that they are the same
    lines = [line(sold.items[0], "3", "9.00")]
    key = sold.world.shop.post("orders", order("O7", sold.buyer, lines, status="shipped"))["id"]
    sold.sync()
    link(key, other["id"], "order")
    sold.sync()
    (first,) = sold.documents("shipments")
    assert first["order_id"] == key
    sold.quiet()


def test_shipments_of_an_order_that_was_posted_before_it_was_linked_are_told(sold: Sold) -> None:
    placed, entered = sold.posted_before("O2")
    sold.sync()
    assert sold.world.counterpart("order", placed) == entered
    sold.sync()
    (told,), (there,) = sold.documents("shipments"), sold.world.bc.all("salesShipments").values()
    assert (told["order_id"], told["number"]) == (placed, there["number"])
    assert [row["shipped_quantity"] for row in sold.world.shop.get("orders", placed)["lines"]] == ["3"]
    sold.quiet()
    assert not unexplained()


@pytest.mark.slow
def test_so_are_those_of_one_that_an_earlier_release_closed_as_its_invoice(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_optional(world, tmp_path, monkeypatch)
    sold = Sold(world)
    placed, entered = sold.posted_before("O2")
    sold.sync()
    (invoice,) = world.bc.all("salesInvoices")
    as_it_was = "update link set bc_id = ?, called = null where part = 'order' and shop_id = ?"
    with world.database() as db:
        db.execute(as_it_was, [invoice, placed])
    with_optional(world, tmp_path, monkeypatch, "shipment", "invoice")
    assert (folder / "shipment.yaml").exists()
    sold.sync()
    assert (world.counterpart("order", placed), world.state("order", placed)) == (
        entered,
        ("closed", "posted in Business Central: its story ended there"),
    )
    assert [row["order_id"] for row in sold.documents("shipments")] == [placed]
    assert [row["order_id"] for row in sold.documents("invoices")] == [placed]
    sold.quiet()
    assert not unexplained()


@pytest.mark.slow
def test_the_shop_makes_none(sold: Sold) -> None:
    sold.office("ship")
    sold.sync()
    (first,) = sold.documents("shipments")
    own = sold.world.shop.post("shipments", {"number": "MINE", "order_id": sold.id})["id"]
    run = sold.world.step()
    assert not run.failed()
    state, reason = sold.world.state("shipment", own) or ("", "")
    assert (state, reason) == ("excluded", "the flow makes records in the shop alone")
    assert len(sold.world.bc.all("salesShipments")) == 1
    sold.quiet()
