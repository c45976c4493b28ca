"""An order from placing to posting: its lines, its release, its shipping, its end."""

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline_tests.pipeline.by_hand import unlink
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]


class Placed:
    """One synchronized order of two lines, and the products it may be changed to."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buyer = world.shop.post("customers", customer())["id"]
        self.items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(3)]
        lines = [line(self.items[0], "2", "100.00"), line(self.items[1], "5", "20.00")]
        self.id = world.shop.post("orders", order("O1", self.buyer, lines))["id"]
        assert not world.step().failed()
        self.bc_id = world.counterpart("order", self.id)

    @property
    def shop(self) -> Row:
        return self.world.shop.get("orders", self.id)

    @property
    def bc(self) -> Row:
        return self.world.bc.get("salesOrders", self.bc_id)

    def bc_lines(self) -> list[Row]:
        return sorted(self.bc["salesOrderLines"], key=lambda row: row["sequence"])

    def patch_lines(self, *lines: Row) -> None:
        self.world.shop.patch("orders", self.id, {"lines": list(lines)})

    def item(self, at: int) -> str:
        return self.world.counterpart("product", self.items[at])

    def back_office(self, action: str, body: Any = None) -> None:
        self.world.bc.control(f"sales-orders/{self.bc_id}/{action}", body)

    def agree(self) -> None:
        """Both systems hold the same items and quantities, in this order."""
        shop = [
            (self.world.counterpart("product", row["product_id"]), Decimal(row["quantity"]))
            for row in self.shop["lines"]
        ]
        bc = [(row["itemId"], row["quantity"]) for row in self.bc_lines() if row["lineType"] == "Item"]
        assert sorted(shop) == sorted(bc)


@pytest.fixture
def placed(world: World) -> Placed:
    return Placed(world)


def test_a_line_added_in_the_shop(placed: Placed) -> None:
    placed.patch_lines(
        *({"id": row["id"]} for row in placed.shop["lines"]), line(placed.items[2], "4", "7.50")
    )
    run = placed.world.step("order")
    assert not run.failed()
    added = placed.bc_lines()[-1]
    assert (added["itemId"], added["quantity"], added["unitPrice"]) == (placed.item(2), 4, Decimal("7.5"))
    assert run["order"]["writes"]["businesscentral"] == {"create": 1, "update": 0, "delete": 0}
    placed.agree()
    assert placed.world.step("order").writes() == 0


def test_a_line_added_in_business_central(placed: Placed) -> None:
    placed.world.bc.post(
        f"salesOrders({placed.bc_id})/salesOrderLines",
        {"itemId": placed.item(2), "quantity": 3, "unitPrice": 12.5, "description": "From the office"},
    )
    run = placed.world.step("order")
    assert not run.failed()
    added = placed.shop["lines"][-1]
    assert (added["product_id"], Decimal(added["quantity"])) == (placed.items[2], Decimal(3))
    assert (Decimal(added["unit_price"]), added["description"]) == (Decimal("12.5"), "From the office")
    assert placed.world.step("order").writes() == 0


def test_a_line_removed_on_either_side(placed: Placed) -> None:
    first, second = placed.shop["lines"]
    placed.patch_lines({"id": second["id"]})
    run = placed.world.step("order")
    assert run["order"]["writes"]["businesscentral"] == {"create": 0, "update": 0, "delete": 1}
    assert [row["itemId"] for row in placed.bc_lines()] == [placed.item(1)]
    for table in ("link", "base"):
        left = placed.world.sql(f"select count(distinct shop_id) from {table} where part = 'order.lines'")
        assert left == [(1,)], f"the {table} of a removed line goes with it, and not with the next fetch"
    placed.world.bc.post(
        f"salesOrders({placed.bc_id})/salesOrderLines", {"itemId": placed.item(0), "quantity": 1}
    )
    placed.world.step("order")
    placed.world.bc.delete("salesOrderLines", placed.bc_lines()[0]["id"])
    run = placed.world.step("order")
    assert not run.failed()
    assert [row["product_id"] for row in placed.shop["lines"]] == [placed.items[0]]
    assert placed.world.step("order").writes() == 0
    assert first["product_id"] == placed.items[0]


def test_two_lines_of_one_product_stay_apart(placed: Placed) -> None:
    rows = placed.shop["lines"]
    placed.patch_lines({"id": rows[0]["id"]}, {"id": rows[1]["id"]}, line(placed.items[0], "9", "90.00"))
    placed.world.step("order")
    rows = placed.shop["lines"]
    placed.patch_lines({"id": rows[2]["id"], "quantity": "8"}, {"id": rows[0]["id"]}, {"id": rows[1]["id"]})
    run = placed.world.step("order")
    assert not run.failed()
    assert run["order"]["writes"]["businesscentral"]["update"] == 1
    quantities = sorted(row["quantity"] for row in placed.bc_lines() if row["itemId"] == placed.item(0))
    assert quantities == [2, 8]


def test_another_order_of_the_lines_is_no_change(placed: Placed) -> None:
    rows = placed.shop["lines"]
    placed.patch_lines({"id": rows[0]["id"]}, {"id": rows[1]["id"]}, line(placed.items[0], "9", "90.00"))
    placed.world.step("order")
    placed.patch_lines(*({"id": row["id"]} for row in reversed(placed.shop["lines"])))
    assert placed.world.step("order", full=True).writes() == 0
    placed.agree()


def test_a_line_split_in_two_on_either_side(placed: Placed) -> None:
    """Three of five pieces stay on the line, two go on a new one of the same product; then the same over there."""
    first, second = placed.shop["lines"]
    placed.patch_lines(
        {"id": first["id"]}, {"id": second["id"], "quantity": "3"}, line(placed.items[1], "2", "20.00")
    )
    run = placed.world.step("order")
    assert run["order"]["writes"]["businesscentral"] == {"create": 1, "update": 1, "delete": 0}
    placed.agree()
    theirs = placed.bc_lines()[0]
    placed.world.bc.patch("salesOrderLines", theirs["id"], {"quantity": 1})
    placed.world.bc.post(
        f"salesOrders({placed.bc_id})/salesOrderLines",
        {"itemId": theirs["itemId"], "quantity": 1, "unitPrice": 100},
    )
    assert not placed.world.step("order").failed()
    assert len(placed.shop["lines"]) == 4
    placed.agree()
    assert placed.world.step("order").writes() == 0


def test_a_product_swapped_on_a_line(placed: Placed) -> None:
    rows = placed.shop["lines"]
    placed.patch_lines({"id": rows[0]["id"], "product_id": placed.items[2]}, {"id": rows[1]["id"]})
    run = placed.world.step("order")
    assert not run.failed()
    held = placed.bc_lines()[0]
    assert (held["itemId"], held["quantity"], held["unitPrice"]) == (placed.item(2), 2, Decimal(100))
    assert placed.world.step("order").writes() == 0


def test_quantity_and_price_changed_together(placed: Placed) -> None:
    rows = placed.shop["lines"]
    placed.patch_lines({"id": rows[0]["id"], "quantity": "40", "unit_price": "61.50"}, {"id": rows[1]["id"]})
    run = placed.world.step("order")
    assert run["order"]["writes"]["businesscentral"]["update"] == 1
    held = placed.bc_lines()[0]
    assert (held["quantity"], held["unitPrice"]) == (40, Decimal("61.5"))
    assert placed.world.step("order").writes() == 0


def test_lines_that_business_central_adds_are_left_alone(placed: Placed) -> None:
    path = f"salesOrders({placed.bc_id})/salesOrderLines"
    placed.world.bc.post(path, {"lineType": "Comment", "description": "Deliver at the back door"})
    assert placed.world.step("order", full=True).writes() == 0
    placed.patch_lines(*({"id": row["id"], "quantity": "1"} for row in placed.shop["lines"]))
    placed.world.step("order")
    assert "Deliver at the back door" in [row["description"] for row in placed.bc_lines()]
    assert len(placed.shop["lines"]) == 2


def test_a_discount_survives_line_changes(placed: Placed) -> None:
    if "discount_amount" in placed.world.shop_lacks("order"):
        pytest.skip("this shop keeps no discount of whole orders")
    placed.world.shop.patch("orders", placed.id, {"discount_amount": "90.00"})
    placed.world.step("order")
    assert placed.bc["discountAmount"] == 90
    first, second = placed.shop["lines"]
    placed.patch_lines({"id": first["id"], "quantity": "1"}, {"id": second["id"], "quantity": "1"})
    run = placed.world.step("order")
    assert not run.failed()
    assert Decimal(placed.shop["discount_amount"]) == placed.bc["discountAmount"] == 90
    assert placed.world.step("order").writes() == 0


def test_another_customer_keeps_addresses_lines_and_prices(placed: Placed) -> None:
    other = placed.world.shop.post("customers", customer("C2", currency="EUR"))["id"]
    placed.world.step("customer")
    rows = placed.shop["lines"]
    placed.patch_lines({"id": rows[0]["id"], "unit_price": "55.00"}, {"id": rows[1]["id"]})
    placed.world.step("order")
    before = placed.bc
    placed.world.shop.patch("orders", placed.id, {"customer_id": other})
    run = placed.world.step("order")
    assert not run.failed()
    after = placed.bc
    assert after["customerId"] == placed.world.counterpart("customer", other)
    for name in ("currencyCode", "sellToAddressLine1", "shipToName", "email", "phoneNumber"):
        assert after[name] == before[name]
    assert [row["unitPrice"] for row in placed.bc_lines()] == [55, 20]
    placed.agree()
    assert placed.world.step("order").writes() == 0


def test_another_customer_in_business_central(placed: Placed) -> None:
    other = placed.world.shop.post("customers", customer("C2"))["id"]
    placed.world.step("customer")
    bc_other = placed.world.counterpart("customer", other)
    placed.world.bc.patch("salesOrders", placed.bc_id, {"customerId": bc_other})
    run = placed.world.step("order")
    assert not run.failed()
    assert placed.shop["customer_id"] == other
    placed.agree()
    assert placed.world.step("order").writes() == 0


def test_a_customer_only_business_central_knows_waits(placed: Placed) -> None:
    stranger = placed.world.bc.post("customers", {"number": "X1", "displayName": "Stranger"})["id"]
    placed.world.bc.patch("salesOrders", placed.bc_id, {"customerId": stranger})
    run = placed.world.step("order")
    assert not run.failed()
    assert placed.shop["customer_id"] == placed.buyer
    state, reason = placed.world.state("order", placed.id) or ("", "")
    assert state == "waiting"
    assert stranger in reason


def test_a_released_order_withholds_what_it_guards_and_passes_the_rest(placed: Placed) -> None:
    placed.back_office("release")
    rows = placed.shop["lines"]
    placed.world.shop.patch(
        "orders",
        placed.id,
        {
            "email": "gate@company.example",
            "requested_delivery_date": "2026-09-09",
            "lines": [
                {"id": rows[0]["id"], "quantity": "3", "description": "Ring first"},
                {"id": rows[1]["id"]},
                line(placed.items[2]),
            ],
        },
    )
    run = placed.world.step("order")
    assert not run.failed()
    held = placed.bc
    assert held["email"] == "gate@company.example"
    assert held["requestedDeliveryDate"] == "0001-01-01"
    assert [row["quantity"] for row in placed.bc_lines()] == [2, 5]
    assert placed.bc_lines()[0]["description"] == "Ring first"
    assert placed.shop["status"] == "processing"
    withheld = run.finding("order", "nothing_withheld")
    assert withheld.verdict == "warned"
    assert "released" in withheld.rows[0]["reason"]
    assert placed.world.step("order").writes() == 0

    placed.back_office("reopen")
    assert not placed.world.step("order").failed()
    assert placed.bc["requestedDeliveryDate"] == "2026-09-09"
    assert [row["quantity"] for row in placed.bc_lines()] == [3, 5, 2]
    assert placed.world.step("order").writes() == 0


@pytest.mark.reaches
def test_shipping_and_posting_end_the_story(placed: Placed) -> None:
    placed.back_office("release")
    first = placed.bc_lines()[0]
    placed.back_office("ship", {"quantities": {first["id"]: 2}})
    placed.world.step("order", full=True)
    assert placed.shop["status"] == "processing"
    placed.back_office("ship")
    placed.world.step("order", full=True)
    assert placed.shop["status"] == "shipped"
    placed.back_office("invoice")
    run = placed.world.step("order", full=True)
    assert not run.failed()
    assert placed.shop["status"] == "completed"
    assert placed.world.state("order", placed.id) == (
        "closed",
        "posted in Business Central: its story ended there",
    )
    assert run["order"]["closed"] == 1
    placed.world.shop.patch("orders", placed.id, {"reference": "late", "email": "late@company.example"})
    run = placed.world.step()
    assert not run.failed()
    assert run.writes("order") == 0
    assert not placed.world.bc.orders()


def test_a_cancelled_order_is_a_persons_decision(placed: Placed) -> None:
    placed.world.shop.patch("orders", placed.id, {"status": "cancelled"})
    run = placed.world.step("order")
    assert not run.failed()
    assert run.writes() == 0
    assert placed.bc["externalDocumentNumber"] == "O1"
    flagged = run.finding("order", "no_flagged_records")
    assert flagged.verdict == "warned"
    assert flagged.rows[0]["shop_id"] == placed.id
    placed.back_office("release")
    placed.world.step("order")
    assert placed.shop["status"] == "cancelled"


def test_an_order_that_is_cancelled_here_and_deleted_there_has_ended(placed: Placed) -> None:
    world = placed.world
    order_id = world.counterpart("order", placed.id)
    world.shop.patch("orders", placed.id, {"status": "cancelled"})
    world.step("order")
    assert world.state("order", placed.id) is None, "it lives on over there, and is listed"

    world.bc.delete("salesOrders", order_id)
    run = world.step("order", full=True)
    assert not run.failed()
    over = ("closed", "it is over in the shop, and the Business Central record is vanished")
    assert world.state("order", placed.id) == over
    run = world.step("order", full=True)
    assert (run.writes(), run.failed()) == (0, [])
    assert not world.bc.orders()

    # opened again it is no order that has ended: a person decides
    world.shop.patch("orders", placed.id, {"status": "open"})
    world.step("order")
    state, reason = world.state("order", placed.id) or ("", "")
    assert (state, reason.split(",")[0]) == ("broken", "it is back")
    assert not world.bc.orders()
    unlink(placed.id, "order", recreate=True)
    assert not world.step("order").failed()
    assert [row["externalDocumentNumber"] for row in world.bc.orders().values()] == ["O1"]


def test_an_order_that_was_deleted_there_first_ends_when_it_is_cancelled(placed: Placed) -> None:
    world = placed.world
    world.bc.delete("salesOrders", world.counterpart("order", placed.id))
    world.step("order", full=True)
    assert (world.state("order", placed.id) or ("",))[0] == "broken"
    world.shop.patch("orders", placed.id, {"status": "cancelled"})
    run = world.step("order")
    assert (world.state("order", placed.id) or ("",))[0] == "closed"
    assert (run.writes(), run.failed()) == (0, [])
