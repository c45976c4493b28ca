"""What was posted before any run had read it, and closed by its number, and a restored Business Central lost."""

from collections.abc import Sequence
from typing import Any

import pytest

from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.pains.test_lost_records import CLOSED, numbers
from talk_pipeline_tests.pains.test_restored import ALL, assert_settled, assert_stopped, edit_both
from talk_pipeline_tests.pains.test_restored import buyers as buyers  # noqa: PLC0414
from talk_pipeline_tests.pipeline.decisions.test_attention import of
from talk_pipeline_tests.pipeline.records import line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World


@pytest.fixture
def entered(world: World, buyers: list[str]) -> dict[str, Any]:
    """An order that people entered in Business Central, under a number that the shop comes to later."""
    item = world.shop.post("products", product("P0"))["id"]
    assert world.step().success
    sent = {"itemId": world.counterpart("product", item), "quantity": 7, "unitPrice": 100}
    body = {"customerId": world.counterpart("customer", buyers[0]), "externalDocumentNumber": "LATE"}
    return {"item": item, "buyer": buyers[0], "body": {**body, "salesOrderLines": [sent]}}


def closed_by_key(
    world: World, entered: dict[str, Any], *, backup: str, named: bool = True, edited: Sequence[str] = ()
) -> tuple[str, str]:
    """What was entered is posted, and closes the order of the shop, though no run has seen it open."""
    world.bc.control("backup", {"name": "without"})
    bc_id = world.bc.post("salesOrders", entered["body"])["id"]
    world.bc.control("backup", {"name": "open"})
    world.bc.read(world.bc.http.post(f"/salesOrders({bc_id})/Microsoft.NAV.shipAndInvoice"))
    (invoice,) = world.bc.all("salesInvoices")
    if edited:
        edit_both(world, list(edited))
    late = world.shop.post("orders", order("LATE", entered["buyer"], [line(entered["item"], "7")]))["id"]
    for _ in range(2):
        run = world.step(full=True)
        assert (run.success, world.state("order", late)) == (True, CLOSED), run.problems
    assert world.counterpart("order", late) == bc_id
    if not named:  # as by an invoice that was one from the beginning
        with world.database() as db:
            db.execute(
                "update link set bc_id = ?, called = map {'erp_number': null}"
                " where part = 'order' and shop_id = ?",
                [invoice, late],
            )
        assert_settled(world, *ALL)
    world.bc.control("restore", {"name": backup})
    return late, world.counterpart("order", late)


@variants("named", [True, False], ids=["order", "invoice"])
def test_what_was_closed_by_its_number_alone_and_is_posted_no_more_is_noticed(
    world: World, buyers: list[str], entered: dict[str, Any], named: bool
) -> None:
    """By an invoice that is one from the beginning nothing is certain, unless others went back, too."""
    late, bc_id = closed_by_key(world, entered, backup="without", named=named, edited=() if named else buyers)
    stopped = world.step(full=True)
    assert_stopped(world, stopped, Side.BC)
    assert "1 record posted before is neither open nor posted" in stopped.problems[0]
    assert world.step(restored=Side.BC).success
    # the shop knows nothing of its end: it is made anew
    assert of(Kind.LOST) == []
    assert numbers(world)[0] == ["LATE"]
    assert world.counterpart("order", late) != bc_id
    assert_settled(world, *ALL)


def test_one_that_was_closed_by_an_invoice_alone_which_is_gone_was_deleted(
    world: World, entered: dict[str, Any]
) -> None:
    """Such as a draft that a clerk deletes: no restore, and no closed story either."""
    late, _ = closed_by_key(world, entered, backup="without", named=False)
    for _ in range(2):
        run = world.step(full=True)
        assert run.success, run.problems
        assert world.state("order", late) == ("broken", "the Business Central record is vanished")
    assert "LATE" in {one.number for one in of(Kind.BROKEN)}
    assert numbers(world)[0] == [], "whether it is to be made again a person says"


@pytest.mark.reaches
def test_what_was_closed_by_its_number_alone_and_is_gone_as_was_approved_is_told(
    world: World, entered: dict[str, Any]
) -> None:
    late, _ = closed_by_key(world, entered, backup="without")
    assert not world.step(full=True).success
    assert world.step(approve=True).success
    assert world.step(full=True).success
    assert world.state("order", late) == ("broken", "the Business Central record is vanished")
    assert "LATE" in {one.number for one in of(Kind.BROKEN)}
    assert numbers(world)[0] == []


@variants("restored", [True, False], ids=["restored", "approved"])
def test_what_was_closed_by_its_number_alone_and_is_open_again_is_kept_in_step(
    world: World, buyers: list[str], entered: dict[str, Any], restored: bool
) -> None:
    """One alone might be so by people's doing; that others went back, too, tells of a restore."""
    late, bc_id = closed_by_key(world, entered, backup="open", edited=buyers)
    assert_stopped(world, world.step(full=True), Side.BC)
    assert world.step(restored=Side.BC if restored else None, approve=not restored).success
    world.bc.patch("salesOrders", bc_id, {"phoneNumber": "+45 22 22 22 22"})
    assert world.step().success
    assert (world.state("order", late), world.counterpart("order", late)) == (None, bc_id)
    assert world.shop.get("orders", late)["phone"] == "+45 22 22 22 22"
    assert numbers(world)[0] == ["LATE"]
    assert_settled(world, *ALL)
