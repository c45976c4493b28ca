"""Where Business Central's documentation leaves a question open, the pipeline lives with every answer."""

from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline.sandbox.businesscentral.questions import QUESTIONS
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

# answers under which the records here cannot be what they should be, each with a test of its own below
APART = {
    ("forbidden", "read_orders"),
    ("forbidden", "write_orders"),
    ("customer_numbers", "series"),
    ("item_numbers", "series"),
    ("templates", False),
}
OTHERS: dict[str, list[Any]] = {"throttle_retry_after": [1, "seconds", "date"], "replica_lag": [30.0]}


def answers() -> list[dict[str, Any]]:
    """The last one of every question together, the first ones together, then each by itself."""
    listed: list[tuple[str, Any]] = []
    for question in QUESTIONS:
        choices = list(question.choices) or OTHERS.get(question.name, [])
        if isinstance(question.default, bool):
            choices = [True, False]
        listed += [(question.name, choice) for choice in choices if choice != question.default]
    each = [{name: answer} for name, answer in listed if (name, answer) not in APART]
    together = [
        {name: answer for one in order for name, answer in one.items()} for order in (each, each[::-1])
    ]
    return [*together, *each]


@variants(
    "said",
    answers(),
    first=2,
    ids=lambda said: "-".join(map(str, next(iter(said.items())))) if len(said) == 1 else "together",
)
def test_every_answer(world: World, said: dict[str, Any]) -> None:
    world.bc.control("settings", said)
    if "throttle_retry_after" in said:
        world.bc.faults(
            {"match": {"method": "POST", "path": "salesOrders"}, "fault": {"status": 429}, "times": 1}
        )
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product(price="80.00"))["id"]
    lines = [line(item, "2", "100.00"), line(item, "5", "20.00", discount_percent="10")]
    placed = world.shop.post("orders", order("O1", buyer, lines, discount_amount="15.00"))["id"]
    assert not world.step().failed()

    world.shop.patch("customers", buyer, {"email": "new@company.example"})
    bc_buyer, bc_order = world.counterpart("customer", buyer), world.counterpart("order", placed)
    world.bc.patch("customers", bc_buyer, {"phoneNumber": "+45 55 55 55 55"})
    rows = world.shop.get("orders", placed)["lines"]
    world.shop.patch(
        "orders",
        placed,
        {
            "requested_delivery_date": "2026-09-09",
            "lines": [{"id": rows[0]["id"], "quantity": "4"}, {"id": rows[1]["id"]}, line(item, "1", "9.99")],
        },
    )
    world.bc.patch("salesOrders", bc_order, {"email": "office@company.example"})
    assert not world.step().failed()

    shop, bc = world.shop.get("orders", placed), world.bc.get("salesOrders", bc_order)
    held = sorted(bc["salesOrderLines"], key=lambda row: row["sequence"])
    assert [row["quantity"] for row in held] == [4, 5, 1]
    assert [row["unitPrice"] for row in held] == [100, 20, Decimal("9.99")]
    assert [Decimal(row["quantity"]) for row in shop["lines"]] == [4, 5, 1]
    assert Decimal(shop["discount_amount"]) == bc["discountAmount"] == 15
    assert bc["requestedDeliveryDate"] == "2026-09-09"
    assert shop["email"] == "office@company.example"
    assert world.bc.get("customers", bc_buyer)["email"] == "new@company.example"
    assert world.shop.get("customers", buyer)["phone"] == "+45 55 55 55 55"
    assert len(world.bc.orders()) == len(world.bc.all("customers")) == len(world.bc.all("items")) == 1
    assert world.step().writes() == 0


FORBIDDEN = [("read_orders", 403), ("write_orders", 400), ("read_orders", 400), ("write_orders", 403)]


@variants(("right", "status"), FORBIDDEN, first=2)
def test_a_missing_permission_stops_nothing_else(world: World, right: str, status: int) -> None:
    world.bc.control("settings", {"forbidden": right, "forbidden_status": status})
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    world.bc.control("settings", {"forbidden": "none"})
    assert not world.bc.orders()
    assert world.step(full=True).success
    if world.state("order", placed):
        world.shop.patch("orders", placed, {"email": "again@company.example"})
        world.step()
    assert len(world.bc.orders()) == 1


@pytest.mark.parametrize(
    ("question", "flow"), [("customer_numbers", "customer"), ("item_numbers", "product")]
)
def test_a_number_series_of_their_own_is_told_as_the_reason(world: World, question: str, flow: str) -> None:
    world.bc.control("settings", {question: "series"})
    record = ("customers", customer()) if flow == "customer" else ("products", product())
    made = world.shop.post(*record)
    run = world.step(flow)
    state, reason = world.state(flow, made["id"]) or ("", "")
    assert state == "quarantined"
    assert "manual" in reason.lower()
    assert run[flow]["failed"] == 1
    assert world.step(flow)[flow]["failed"] == 0, "the same data is not refused twice"


def test_customers_without_posting_groups_hold_only_their_orders(world: World) -> None:
    world.bc.control("settings", {"templates": False})
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    run = world.step()
    assert not run.failed()
    state, reason = world.state("order", placed) or ("", "")
    assert state == "quarantined"
    assert "posting" in reason.lower()
    assert run["customer"]["linked"] == run["product"]["linked"] == 1


def test_a_replica_that_lags_undoes_nothing(world: World) -> None:
    world.bc.control("settings", {"replica_lag": 30.0})
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_buyer = world.counterpart("customer", buyer)
    world.shop.patch("customers", buyer, {"website": "www.new.example"})
    world.step("customer")
    run = world.step("customer", full=True)
    assert run.writes() == 0
    assert run["customer"]["broken"] == 0
    assert world.shop.get("customers", buyer)["website"] == "www.new.example"
    world.bc.patch("customers", bc_buyer, {"email": "bc@company.example"})
    world.step("customer", full=True)
    assert world.shop.get("customers", buyer)["email"] == "bc@company.example"
