"""What the shop says of an order that is posted before it was carried over stays in sight until somebody saw it."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.report.attention import Kind
from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import line
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.pipeline.test_acknowledging import acknowledge
from talk_pipeline_tests.pipeline.test_attention import explained, of
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


def lost(sold: Sold) -> list[tuple[Any, ...]]:
    """What is kept in sight: of which line, property, what the shop says, what was posted."""
    return sold.world.sql(
        "select split_part(shop_id, '/', 2), property, shop_value, bc_value from conflict where flow = 'order'"
        " and rule = 'posted' and winner = 'businesscentral' and acknowledged_by is null order by all"
    )


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
    assert not unexplained()

    (waiting,) = of(Kind.UNACKNOWLEDGED)
    assert (
        waiting.reason
        == f"lines[{first}].quantity: '3' of customwebshop lost to '2' since it had been posted"
    )
    settle = (
        f"settle by hand what came after it was posted; then: talk-pipeline acknowledge order {released.id}"
    )
    assert waiting.next_step == settle
    remark = f"lines[{first}].quantity is '3' in the shop, and was '2' when it was posted"
    told = explained(waiting)
    assert (told["state"], told["remarks"], told["next_step"]) == ("closed", [remark], f"{settle} ({remark})")
    acknowledge("order", released.id)
    told = explained(waiting)
    assert (told["remarks"], told["next_step"]) == ([], "nothing: its story ended")
    assert not lost(released)
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
