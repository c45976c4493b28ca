"""Orders, their lines and what else is particular to one system, on its pages."""

from __future__ import annotations

from talk_pipeline_tests.sandbox.clients import CentralClient, ShopClient
from talk_pipeline_tests.sandbox.visitor import Visitor


def test_the_lines_of_a_shop_order(at_shop: Visitor, shop: ShopClient) -> None:
    product, customer = shop.product(), shop.customer()
    order = at_shop.get("/orders/new").press("Create", {"customer_id": customer["id"]})
    key = order.url.split("?")[0].rsplit("/", 1)[1]
    refused = order.follow("New line").press("Create", {"product_id": product["id"]})
    assert "quantity is required" in refused.text("alert")
    order = refused.press("Create", {"quantity": "2"})
    assert (order.heading, order.text("status")) == ("Order WEB-90001", "Created.")
    order = order.follow("New line").press("Create", {"product_id": product["id"], "quantity": "1"})
    first, second = shop.get(f"orders/{key}")["lines"]
    assert (first["quantity"], second["quantity"], first["line_total"]) == ("2", "1", "200.00")

    stale = order.follow(first["id"])
    order = order.follow(first["id"]).press("Save", {"quantity": "3"})
    assert stale.press("Save", {"quantity": "4"}).status == 412
    assert shop.get(f"orders/{key}")["total_excl_tax"] == "400.00"
    order = order.follow(first["id"]).press("Delete it for good")
    assert order.text("status") == "Deleted."
    assert [line["id"] for line in shop.get(f"orders/{key}")["lines"]] == [second["id"]]
    assert at_shop.get(f"/lines/{key}:{first['id']}").status == 404


def test_the_life_of_a_sales_order(at_bc: Visitor, bc: CentralClient) -> None:
    item, customer = bc.item(), bc.customer()
    order = at_bc.get("/salesOrders/new").press("Create", {"customerNumber": customer["number"]})
    key = order.url.split("?")[0].rsplit("/", 1)[1]
    assert "nothing to release" in order.press("Release").text("alert")
    order = order.follow("New line").press("Create", {"itemId": item["id"], "quantity": "2"})
    (line,) = bc.lines({"id": key})
    order = order.follow(str(line["sequence"])).press("Save", {"quantity": "3"})
    assert bc.get(f"salesOrders({key})")["totalAmountExcludingTax"] == 300

    assert "not saved yet" in order.press("Release", {"email": "a@b.example"}).text("alert")
    order = order.press("Release")
    assert order.text("status") == "Released."
    assert bc.get(f"salesOrders({key})")["status"] == "Open"
    refused = order.press("Save", {"customerNumber": bc.customer()["number"]})
    assert "Status must be equal to 'Open'" in refused.text("alert")
    stale = order
    order = order.press("Reopen")
    assert order.text("status") == "Reopened."
    assert stale.press("Ship").status == 412
    order = order.press("Ship")
    assert bc.lines({"id": key})[0]["shippedQuantity"] == 3
    gone = order.press("Invoice")
    assert (gone.heading, gone.text("status")) == ("salesOrders", "Invoiced.")
    assert len(bc.get("salesInvoices")["value"]) == 1


def test_numbers_choices_and_references(
    at_bc: Visitor, bc: CentralClient, at_shop: Visitor, shop: ShopClient
) -> None:
    made = bc.item(unitPrice=12.5)
    page = at_bc.get(f"/items/{made['id']}")
    typed = {"unitPrice": "99.95", "blocked": "true", "type": "Service", "baseUnitOfMeasureCode": "BOX"}
    assert page.press("Save", typed).text("status") == "Saved."
    after = bc.get(f"items({made['id']})")
    assert [str(after[name]) for name in typed] == ["99.95", "True", "Service", "BOX"]
    assert "BOX" in [
        option["value"] for option in page.soup.select("[id='offers-unitsOfMeasure.code'] option")
    ]
    for wrong in ("1e3", "NaN", "many", "-1"):
        answer = at_bc.get(f"/items/{made['id']}").press("Save", {"unitPrice": wrong})
        assert (answer.status, answer.fields()["unitPrice"]) == (409, wrong)

    product = shop.product(tags=["a"])
    typed = {"price": "7", "active": "false", "tags": "b\nc", "category": "X", "cost": ""}
    assert at_shop.get(f"/products/{product['id']}").press("Save", typed).text("status") == "Saved."
    after = shop.get(f"products/{product['id']}")
    assert [after[name] for name in typed] == ["7", False, ["b", "c"], "X", None]
