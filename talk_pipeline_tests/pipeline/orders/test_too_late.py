"""What the shop says of an order that is posted before it was carried over stays in sight until somebody saw it."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline_tests.pipeline.decisions.test_acknowledging import acknowledge
from talk_pipeline_tests.pipeline.decisions.test_attention import explained, of
from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

OVER = ("closed", "posted in Business Central: its story ended there")


@pytest.fixture
def released(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sold:
    """An order that is released in Business Central, which holds back what the shop edits of it."""
    with_optional(world, tmp_path, monkeypatch, "shipment", "invoice")
    sold = Sold(world)
    sold.office("release")
    sold.sync()
    return sold


def edit(sold: Sold, *lines: dict[str, Any]) -> None:
    """Says what the lines are; those that have an id are there already."""
    sold.world.shop.patch("orders", sold.id, {"lines": list(lines)})


def post(sold: Sold) -> None:
    sold.office("ship")
    sold.office("invoice")
    assert sold.bc_id not in sold.world.bc.orders()
    assert not sold.world.step(full=True).failed()
    assert sold.world.state("order", sold.id) == OVER


KEPT = """
select split_part(shop_id, '/', 2), property, shop_value, bc_value from conflict
where flow = 'order' and rule = 'posted' and winner = 'businesscentral' and acknowledged_by is null order by all
"""


def lost(sold: Sold) -> list[tuple[Any, ...]]:
    """The edits that are kept in sight: of which line, property, what the shop says, what was posted."""
    return [row for row in sold.world.sql(KEPT) if row[1] != "total_incl_tax"]


def totals(sold: Sold) -> list[tuple[str, float]]:
    """The totals that are: what the shop says, what was billed."""
    return [(shop, float(bc)) for _, prop, shop, bc in sold.world.sql(KEPT) if prop == "total_incl_tax"]


def test_an_edit_that_was_held_until_the_order_was_posted_is_told(released: Sold) -> None:
    first, second = (row["id"] for row in released.world.shop.get("orders", released.id)["lines"])
    edit(released, {"id": first, "quantity": "3"}, {"id": second})
    assert not released.world.step().failed()
    assert released.world.sql("select distinct hold_kind from change where flow = 'order'") == [("guarded",)]
    post(released)
    assert lost(released) == [(first, "quantity", "3", "2")]
    assert not released.world.sql("select * from change where flow = 'order'")
    released.quiet()
    assert lost(released) == [(first, "quantity", "3", "2")]
    assert totals(released) == [("500.00", 375)]
    assert not unexplained()

    _, waiting = sorted(of(Kind.UNACKNOWLEDGED), key=lambda one: "lines" in one.reason)
    assert (
        waiting.reason
        == f"lines[{first}].quantity: '3' of customwebshop lost to '2' since it had been posted"
    )
    settle = (
        f"settle by hand what came after it was posted; then: talk-pipeline acknowledge order {released.id}"
    )
    assert waiting.next_step == settle
    told, total = (
        explained(waiting),
        "total_incl_tax is '500.00' in the shop, and was '375' when it was posted",
    )
    remarks = [total, f"lines[{first}].quantity is '3' in the shop, and was '2' when it was posted"]
    assert sorted(told["remarks"]) == sorted(remarks)
    assert (told["state"], told["next_step"]) == ("closed", f"{settle} ({'; '.join(told['remarks'])})")
    acknowledge("order", released.id)
    told = explained(waiting)
    assert (told["remarks"], told["next_step"]) == ([], "nothing: its story ended")
    assert not lost(released) + totals(released)
    assert not of(Kind.UNACKNOWLEDGED)


def test_a_line_that_is_added_or_removed_too_late_is_told_with_its_values(released: Sold) -> None:
    first, _ = (row["id"] for row in released.world.shop.get("orders", released.id)["lines"])
    edit(released, {"id": first}, line(released.items[0], "4", "90.00"))
    post(released)
    told = lost(released)
    assert {(prop, shop, bc) for _, prop, shop, bc in told if prop == "quantity"} == {
        ("quantity", "4", None),
        ("quantity", None, "5"),
    }
    assert ("unit_price", "90.00", None) in {row[1:] for row in told}
    assert not unexplained()


def test_what_the_shop_says_of_an_open_order_in_the_moment_of_its_posting_is_told(
    released: Sold,
) -> None:
    released.office("reopen")
    released.sync()
    released.world.shop.patch("orders", released.id, {"email": "other@company.example"})
    released.office("release")
    post(released)
    assert released.world.sql("select property, shop_value from conflict where rule = 'posted'") == [
        ("email", "other@company.example")
    ]
    assert status(released) == "completed"
    released.world.shop.patch("orders", released.id, {"phone": "+45 20 20 20 20"})  # of what is over
    released.quiet()
    assert [row[1] for row in lost(released)] == ["email"]


def status(sold: Sold) -> str:
    return str(sold.world.shop.get("orders", sold.id)["status"])


def test_a_line_that_is_added_to_a_closed_order_is_told_once(released: Sold) -> None:
    first, second = (row["id"] for row in released.world.shop.get("orders", released.id)["lines"])
    post(released)
    assert not lost(released)
    edit(released, {"id": first}, {"id": second, "quantity": "6"}, line(released.items[0], "4", "90.00"))
    released.quiet()
    told = lost(released)
    assert {row[1:] for row in told if row[1] == "quantity"} == {
        ("quantity", "6", "5"),
        ("quantity", "4", None),
    }
    acknowledge("order", released.id)
    released.world.shop.patch(
        "orders", released.id, {"email": "other@company.example"}
    )  # never about what was billed
    released.quiet()
    assert not lost(released)
    assert len(told) == released.world.sql("select count(*) from conflict")[0][0]
    assert released.world.state("order", released.id) == OVER
    assert not unexplained()


def test_lines_that_business_central_added_and_removed_before_it_posted_go_to_the_shop(
    released: Sold,
) -> None:
    released.office("reopen")
    released.sync()
    first, _ = released.world.bc.orders()[released.bc_id]["salesOrderLines"]
    released.world.bc.delete("salesOrderLines", first["id"])
    added = {"lineType": "Item", "itemId": released.world.counterpart("product", released.items[0])}
    place = f"/salesOrders({released.bc_id})/salesOrderLines"
    made = released.world.bc.http.post(place, json=added | {"quantity": 4, "unitPrice": 90})
    assert made.status_code == 201, made.text
    released.world.shop.faults(rule("PATCH", "", times=None, status=503))
    released.world.step()
    assert released.lines("quantity") == ["2", "5"], "it was seen, and not told"
    released.world.shop.no_faults()
    released.office("release")
    post(released)
    assert sorted(released.lines("quantity")) == ["4", "5"]
    assert not lost(released)
    released.quiet()
    assert not unexplained()


def edit_there(sold: Sold, **values: Any) -> None:
    """Somebody there opens the order, edits its first line and releases it again, and no run sees it."""
    sold.office("reopen")
    first, _ = sorted(
        sold.world.bc.orders()[sold.bc_id]["salesOrderLines"], key=lambda row: int(row["sequence"])
    )
    sold.world.bc.patch("salesOrderLines", first["id"], values)
    sold.office("release")


def test_an_order_that_was_edited_there_and_posted_before_any_run_read_it_is_told_by_its_total(
    released: Sold,
) -> None:
    stated = released.world.shop.get("orders", released.id)["total_incl_tax"]
    edit_there(released, quantity=3)
    post(released)
    (invoice,) = released.world.bc.all("salesInvoices").values()
    billed = float(invoice["totalAmountIncludingTax"])
    assert billed > float(stated) + 100
    assert totals(released) == [(stated, billed)]
    assert not unexplained()

    (waiting,) = of(Kind.UNACKNOWLEDGED)
    assert waiting.reason.startswith(f"total_incl_tax: '{stated}' of customwebshop lost to ")
    told = explained(waiting)
    assert told["state"] == "closed"
    assert "talk-pipeline acknowledge order" in told["next_step"]
    released.quiet()
    acknowledge("order", released.id)
    released.quiet()
    assert not of(Kind.UNACKNOWLEDGED)


def test_invoices_of_parts_that_come_to_the_order_together_are_told_nowhere(released: Sold) -> None:
    for quantities in ((1, 2), (0, 2), (1, 1)):
        released.office("ship", *quantities)
        released.office("invoice")
    assert len(released.world.bc.all("salesInvoices")) == 3
    assert not released.world.step(full=True).failed()
    assert released.world.state("order", released.id) == OVER
    assert not lost(released) + totals(released)


@pytest.mark.parametrize("quantities", [[(2, 5)], [(2, 0), (0, 5)]])
def test_what_was_cancelled_again_was_not_billed(released: Sold, quantities: list[tuple[int, int]]) -> None:
    """Where nothing else was billed its story did not end there: it is gone, and the shop is not told otherwise."""
    for some in quantities:
        released.office("ship", *some)
        released.office("invoice")
    invoice, *others = released.world.bc.all("salesInvoices").values()
    released.world.bc.control(f"sales-invoices/{invoice['id']}/cancel")
    assert not released.world.step(full=True).failed()
    placed = released.world.shop.get("orders", released.id)
    billed = [float(one["totalAmountIncludingTax"]) for one in others]
    assert totals(released) == [(placed["total_incl_tax"], one) for one in billed]
    gone = ("broken", "the Business Central record is vanished")
    assert released.world.state("order", released.id) == (OVER if billed else gone)
    assert (placed["status"] == "completed") is bool(billed)
    released.quiet()


@pytest.mark.parametrize("named", [True, False], ids=["names the order", "names its number alone"])
def test_an_invoice_in_the_place_of_a_cancelled_one_ends_the_order(released: Sold, named: bool) -> None:
    """It was told as gone meanwhile."""
    world = released.world
    released.office("ship")
    released.office("invoice")
    (invoice,) = world.bc.all("salesInvoices").values()
    world.bc.control(f"sales-invoices/{invoice['id']}/cancel")
    assert not world.step(full=True).failed()
    assert world.state("order", released.id) == ("broken", "the Business Central record is vanished")
    again = world.bc.control(f"sales-invoices/{invoice['id']}/correct", {"ofOrder": named})
    assert not world.step(full=True).failed()
    assert world.state("order", released.id) == OVER
    assert status(released) == "completed"
    shown = {row["number"]: (row["status"], row["total_incl_tax"]) for row in released.documents("invoices")}
    billed = world.shop.get("orders", released.id)["total_incl_tax"]
    told = {again["number"]: ("open", billed)} if named else {}
    assert shown == {invoice["number"]: ("cancelled", billed)} | told
    assert not totals(released)
    released.quiet()
    assert not unexplained()


def test_an_invoice_of_somebody_else_ends_no_order_that_is_gone(released: Sold) -> None:
    """Its number alone proves nothing: people may have given it to another order."""
    world = released.world
    world.bc.delete("salesOrders", released.bc_id)
    other = str(world.shop.post("customers", customer("C9"))["id"])
    assert not world.step(full=True).failed()
    sent = {"itemId": world.counterpart("product", released.items[0]), "quantity": 3, "unitPrice": 10}
    entered = {"customerId": world.counterpart("customer", other), "externalDocumentNumber": "O1"}
    anew = world.bc.post("salesOrders", {**entered, "salesOrderLines": [sent]})["id"]
    world.bc.read(world.bc.http.post(f"/salesOrders({anew})/Microsoft.NAV.shipAndInvoice"))
    assert not world.step(full=True).failed()
    assert world.state("order", released.id) == ("broken", "the Business Central record is vanished")


def test_an_invoice_that_was_cancelled_closes_no_order_of_its_number(released: Sold) -> None:
    placed, _ = released.posted_before("O2")
    (invoice,) = released.world.bc.all("salesInvoices").values()
    released.world.bc.control(f"sales-invoices/{invoice['id']}/cancel")
    released.sync()
    assert released.world.counterpart("order", placed) in released.world.bc.orders()


def test_what_was_posted_stays_so_though_its_invoice_is_cancelled_later(released: Sold) -> None:
    post(released)
    (invoice,) = released.world.bc.all("salesInvoices").values()
    released.world.bc.control(f"sales-invoices/{invoice['id']}/cancel")
    released.sync()
    released.quiet()
    assert released.world.state("order", released.id) == OVER


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_order_that_the_shop_has_given_up_owes_nothing(released: Sold, cancelled: bool) -> None:
    """What was billed of it all the same is told, unless that was cancelled too."""
    released.world.shop.patch("orders", released.id, {"status": "cancelled"})
    released.office("ship", 1, 0)
    released.office("invoice")
    (invoice,) = released.world.bc.all("salesInvoices").values()
    if cancelled:
        released.world.bc.control(f"sales-invoices/{invoice['id']}/cancel")
    released.world.bc.delete("salesOrders", released.bc_id)
    assert not released.world.step(full=True).failed()
    gone = ("closed", "it is over in the shop, and the Business Central record is vanished")
    assert released.world.state("order", released.id) == (gone if cancelled else OVER)
    billed = [("0", float(invoice["totalAmountIncludingTax"]))]
    assert lost(released) + totals(released) == ([] if cancelled else billed)


def test_an_order_that_the_shop_gives_up_after_it_was_posted_is_told_once(released: Sold) -> None:
    post(released)
    (invoice,) = released.world.bc.all("salesInvoices").values()
    released.world.shop.patch("orders", released.id, {"status": "cancelled"})
    released.quiet()
    assert totals(released) == [("0", float(invoice["totalAmountIncludingTax"]))]
    acknowledge("order", released.id)
    released.world.shop.patch("orders", released.id, {"email": "other@company.example"})
    released.quiet()
    assert not lost(released) + totals(released)


def test_what_is_taken_off_an_order_after_it_was_posted_is_told(released: Sold) -> None:
    post(released)
    released.world.shop.patch("orders", released.id, {"discount_amount": "20.00"})
    released.quiet()
    assert [row[1:3] for row in lost(released)] == [("discount_amount", "20.00")]


def test_one_that_is_found_among_the_invoices_alone_is_compared_as_well(released: Sold) -> None:
    """Its create was never heard of: entered there by hand, at another price, and posted."""
    world = released.world
    number, item = "O2", world.counterpart("product", released.items[0])
    made = world.bc.post(
        "salesOrders",
        {
            "externalDocumentNumber": number,
            "customerId": world.counterpart("customer", released.buyer),
            "salesOrderLines": [{"lineType": "Item", "itemId": item, "quantity": 1, "unitPrice": 80}],
        },
    )
    assert world.bc.http.post(f"/salesOrders({made['id']})/Microsoft.NAV.shipAndInvoice").status_code == 204
    placed = world.shop.post("orders", order(number, released.buyer, [line(released.items[0], "1", "90.00")]))
    assert not world.step().failed()
    assert world.sql("select state, rule from link where part = 'order' and shop_id = ?", placed["id"]) == [
        ("closed", "posted")
    ]
    (told,) = of(Kind.UNACKNOWLEDGED)
    assert (told.number, told.reason.partition(":")[0]) == (number, "total_incl_tax")
