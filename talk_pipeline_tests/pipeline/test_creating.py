"""What only the shop has is created in Business Central, in the order in which it is needed."""

from decimal import Decimal

import pytest

from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def test_an_order_takes_its_new_customer_and_products_along(world: World) -> None:
    buyer = world.shop.post("customers", customer("C1"))
    first, second = (world.shop.post("products", product(sku)) for sku in ("P1", "P2"))
    lines = [line(first["id"], "3", "10.50"), line(second["id"], "1.25", "99.95", discount_percent="10")]
    placed = world.shop.post("orders", order("O1", buyer["id"], lines))

    run = world.step()

    assert not run.failed()
    (created,) = world.bc.orders().values()
    assert created["externalDocumentNumber"] == "O1"
    assert created["customerId"] == world.counterpart("customer", buyer["id"])
    held = sorted(created["salesOrderLines"], key=lambda row: row["sequence"])
    assert [row["itemId"] for row in held] == [world.counterpart("product", p["id"]) for p in (first, second)]
    assert [row["quantity"] for row in held] == [3, Decimal("1.25")]
    assert [row["unitPrice"] for row in held] == [Decimal("10.5"), Decimal("99.95")]
    assert [row["discountPercent"] for row in held] == [0, 10]
    assert world.shop.get("orders", placed["id"])["erp_number"] == created["number"]
    assert run["order"]["writes"]["businesscentral"] == {"create": 1, "update": 0, "delete": 0}
    assert run["order"]["writes"]["customwebshop"] == {"create": 0, "update": 1, "delete": 0}
    rules = "select rule, count(*) from link where part = 'order.lines' group by all"
    assert world.sql(rules) == [("created", 2)], "known as its own from the answer on"

    world.forget_requests()
    assert world.step().writes() == 0
    assert world.step(full=True).writes() == 0
    assert world.writes() == {"customwebshop": 0, "businesscentral": 0}


def test_every_mapped_value_arrives(world: World) -> None:
    buyer = world.shop.post("customers", customer("C1", website="https://example.com", active=False))
    world.step("customer")
    held = world.bc.get("customers", world.counterpart("customer", buyer["id"]))
    assert held["number"] == "C1"
    assert held["displayName"] == "Company C1"
    assert held["type"] == "Company"
    assert held["email"] == "c1@company.example"
    assert held["addressLine1"] == "Main Street 1"
    assert held["addressLine2"] == ""
    assert (held["city"], held["postalCode"], held["country"]) == ("Middelby", "1234", "DK")
    assert held["currencyCode"] == "DKK"
    assert held["blocked"] == "All"


def test_an_order_discount_arrives(world: World) -> None:
    if "discount_amount" in world.shop_lacks("order"):
        pytest.skip("this shop keeps no discount of whole orders")
    buyer = world.shop.post("customers", customer())
    item = world.shop.post("products", product())
    world.shop.post("orders", order("O1", buyer["id"], [line(item["id"])], discount_amount="25.50"))
    assert not world.step().failed()
    (created,) = world.bc.orders().values()
    assert created["discountAmount"] == Decimal("25.5")
    assert world.step().writes() == 0


def test_an_order_waits_for_what_it_refers_to_and_goes_when_it_is_there(world: World) -> None:
    buyer = world.shop.post("customers", customer(company_name="x" * 120))
    item = world.shop.post("products", product())
    placed = world.shop.post("orders", order("O1", buyer["id"], [line(item["id"])]))

    run = world.step()
    assert not run.failed()
    assert not world.bc.orders()
    state, reason = world.state("customer", buyer["id"]) or ("", "")
    assert state == "quarantined"
    assert "120 characters, at most 100" in reason
    state, reason = world.state("order", placed["id"]) or ("", "")
    assert state == "waiting"
    assert buyer["id"] in reason
    assert run.finding("order", "references_resolve").verdict == "warned"

    world.shop.patch("customers", buyer["id"], {"company_name": "Sh\x00rt"})
    assert not world.step("customer").failed()
    _, reason = world.state("customer", buyer["id"]) or ("", "")
    assert "company_name" in reason
    assert "control character U+0000 at position 3" in reason

    world.shop.patch("customers", buyer["id"], {"company_name": "Short"})
    assert not world.step().failed()
    assert len(world.bc.orders()) == 1
    assert world.state("order", placed["id"]) is None


def test_history_is_not_shipped_again(world: World) -> None:
    buyer = world.shop.post("customers", customer())
    item = world.shop.post("products", product())
    for status in ("open", "processing", "shipped", "completed", "cancelled"):
        world.shop.post("orders", order(f"O-{status}", buyer["id"], [line(item["id"])], status=status))
    run = world.step()
    created = {row["externalDocumentNumber"] for row in world.bc.orders().values()}
    assert created == {"O-OPEN", "O-PROCESSING"}
    assert run["order"]["excluded"] == 3
    assert sum(run["order"][s] for s in ("linked", "excluded")) == run["order"]["snapshot"]["customwebshop"]


def test_an_order_whose_invoice_exists_is_closed_not_created(world: World) -> None:
    buyer = world.shop.post("customers", customer())
    item = world.shop.post("products", product())
    placed = world.shop.post("orders", order("O1", buyer["id"], [line(item["id"])]))
    world.step("customer", "product")
    done = world.bc.post(
        "salesOrders",
        {
            "customerId": world.counterpart("customer", buyer["id"]),
            "externalDocumentNumber": "O1",
            "salesOrderLines": [{"itemId": world.counterpart("product", item["id"]), "quantity": 1}],
        },
    )
    world.bc.read(world.bc.http.post(f"/salesOrders({done['id']})/Microsoft.NAV.shipAndInvoice"))
    run = world.step()
    assert not run.failed()
    assert not world.bc.orders()
    assert (world.state("order", placed["id"]) or ("", ""))[0] == "closed"
    assert run["order"]["closed"] == 1
    assert world.step().writes() == 0


def test_orders_go_before_a_new_block(world: World) -> None:
    buyer = world.shop.post("customers", customer())
    item = world.shop.post("products", product())
    world.step()
    world.shop.post("orders", order("O1", buyer["id"], [line(item["id"])]))
    world.shop.patch("customers", buyer["id"], {"active": False})
    run = world.step()
    assert not run.failed()
    assert len(world.bc.orders()) == 1
    assert world.bc.get("customers", world.counterpart("customer", buyer["id"]))["blocked"] == "All"
    assert world.step().writes() == 0


def test_stock_of_a_product_just_created_is_not_wiped(world: World) -> None:
    item = world.shop.post("products", product(stock="12"))
    world.step("product")
    assert Decimal(world.shop.get("products", item["id"])["stock"]) == 12
    key = world.counterpart("product", item["id"])
    world.bc.control(f"items/{key}/stock", {"quantity": 30})
    world.step("product", full=True)
    assert Decimal(world.shop.get("products", item["id"])["stock"]) == 30
