"""How an order ends or does not: posted and left in place, archived, deleted, held for approval."""

import os
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.records import line, order
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

Row = dict[str, Any]


@pytest.fixture
def sold(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sold:
    with_optional(world, tmp_path, monkeypatch, "shipment", "invoice", "approval")
    return Sold(world)


def status(sold: Sold) -> str:
    return str(sold.world.shop.get("orders", sold.id)["status"])


def test_an_order_that_posting_leaves_in_place_has_not_ended(sold: Sold) -> None:
    sold.world.bc.control("settings", {"posted_order": "kept"})
    answer = sold.world.bc.http.post(f"/salesOrders({sold.bc_id})/Microsoft.NAV.shipAndInvoice")
    assert answer.status_code == 204
    assert sold.bc_id in sold.world.bc.orders()
    sold.sync()
    assert status(sold) == "shipped"
    assert sold.world.state("order", sold.id) is None
    assert (sold.lines("shipped_quantity"), sold.lines("invoiced_quantity")) == (["2", "5"], ["2", "5"])
    sold.quiet()
    assert not unexplained()

    sold.world.bc.delete("salesOrders", sold.bc_id)  # somebody tidies up: it was posted all the same
    assert not sold.world.step(full=True).failed()
    assert status(sold) == "completed"
    assert sold.world.state("order", sold.id) == (
        "closed",
        "posted in Business Central: its story ended there",
    )
    sold.quiet()


@pytest.mark.slow
def test_what_was_posted_in_part_and_then_deleted_has_ended_with_what_was_posted(sold: Sold) -> None:
    """Somebody gives up the rest: an invoice names the order, and its lines in the shop tell how much of it."""
    sold.office("ship", 1, 5)
    sold.office("invoice")
    sold.sync()
    assert (status(sold), sold.world.state("order", sold.id)) == ("processing", None)
    assert sold.lines("invoiced_quantity") == ["1", "5"]
    sold.world.bc.delete("salesOrders", sold.bc_id)
    assert not sold.world.step(full=True).failed()
    assert told(sold) == ("closed", "posted in Business Central: its story ended there")
    assert status(sold) == "completed"
    assert [row["quantity"] for row in sold.world.shop.get("orders", sold.id)["lines"]] == ["2", "5"]
    assert sold.lines("invoiced_quantity") == ["1", "5"]
    sold.quiet()
    assert not unexplained()


@pytest.mark.slow
def test_what_was_never_posted_and_is_deleted_is_told(sold: Sold) -> None:
    sold.office("release")
    sold.sync()
    sold.office("reopen")
    sold.sync()
    assert status(sold) == "open"
    sold.world.bc.delete("salesOrders", sold.bc_id)
    sold.world.step(full=True)
    state, _ = sold.world.state("order", sold.id) or ("", "")
    assert (state, status(sold)) == ("broken", "open")
    assert not sold.documents("invoices")


@pytest.fixture
def archiving(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sold:
    """A company whose sales setup archives an order as it is deleted, and which says where that is."""
    with_optional(world, tmp_path, monkeypatch, "order_archives")
    world.bc.control("settings", {"deleted_order": "archived"})
    return Sold(world)


def told(sold: Sold) -> tuple[str, str]:
    return sold.world.state("order", sold.id) or ("", "")


def test_an_order_that_was_archived_is_told_apart_from_a_deleted_and_a_posted_one(archiving: Sold) -> None:
    world, others = archiving.world, []
    for number in ("O2", "O3"):
        lines = [line(archiving.items[0], "1", "10.00")]
        others.append(world.shop.post("orders", order(number, archiving.buyer, lines))["id"])
    archiving.sync()
    deleted, posted = (world.counterpart("order", shop_id) for shop_id in others)
    world.bc.delete("salesOrders", archiving.bc_id)
    world.bc.control("settings", {"deleted_order": "gone"})
    world.bc.delete("salesOrders", deleted)
    assert world.bc.http.post(f"/salesOrders({posted})/Microsoft.NAV.shipAndInvoice").status_code == 204
    world.step(full=True)
    assert [world.state("order", shop_id) for shop_id in (archiving.id, *others)] == [
        ("broken", "the Business Central record is archived"),
        ("broken", "the Business Central record is vanished"),
        ("closed", "posted in Business Central: its story ended there"),
    ]
    assert not world.bc.orders()
    assert world.step(full=True).writes() == 0


@pytest.mark.reaches
def test_an_order_that_is_cancelled_here_and_archived_there_has_ended(archiving: Sold) -> None:
    archiving.world.bc.delete("salesOrders", archiving.bc_id)
    archiving.world.step(full=True)
    archiving.world.shop.patch("orders", archiving.id, {"status": "cancelled"})
    assert not archiving.world.step().failed()
    assert told(archiving) == (
        "closed",
        "it is over in the shop, and the Business Central record is archived",
    )
    archiving.quiet()


def test_an_archive_that_cannot_be_read_is_named_before_and_stops_the_run(archiving: Sold) -> None:
    """Else an order would be told as vanished that is not."""
    folder = Path(os.environ["TALK_FLOWS_DIR"])
    file = folder / "order_archives.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("salesOrderArchives", "salesArchives"))
    done = run("check-config")
    assert done.returncode == 2
    assert (
        f"{file}:6: archived_in.entity: Business Central has no 'salesArchives' that is described"
        in " ".join(done.stderr.split())
    )


HELD = [("guarded", "the sales order is released or in review in Business Central")]


def withheld(sold: Sold) -> list[Any]:
    """What of the order is not written now, and why."""
    return sold.world.sql("select hold_kind, hold_reason from change where flow = 'order'")


def quantities(sold: Sold) -> list[Any]:
    lines = sold.world.bc.orders()[sold.bc_id]["salesOrderLines"]
    return sorted(row["quantity"] for row in lines)


def answers(sold: Sold) -> list[str]:
    return [row["status"] for row in sold.documents("approvals")]


@pytest.fixture
def in_review(sold: Sold) -> Sold:
    """An order that somebody was asked to approve, and of which the shop edited a line since."""
    sold.office("review")
    sold.sync()
    (asked,) = sold.documents("approvals")
    assert (asked["order_id"], asked["status"], asked["approver"]) == (sold.id, "open", "The owner")
    same = [{"id": row["id"]} for row in sold.world.shop.get("orders", sold.id)["lines"]]
    sold.world.shop.patch("orders", sold.id, {"lines": [same[0] | {"quantity": "3"}, same[1]]})
    run = sold.world.step()
    assert run.writes("order") == 0
    assert withheld(sold) == HELD
    return sold


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "answer"), [("reopen", "cancelled"), ("reject", "rejected")])
def test_an_order_in_review_is_shown_and_not_fought(in_review: Sold, verb: str, answer: str) -> None:
    """Called back or rejected it is open again, and the edit goes on."""
    in_review.office(verb)
    in_review.sync()
    assert (answers(in_review), quantities(in_review), status(in_review)) == ([answer], [3, 5], "open")
    assert not withheld(in_review)
    in_review.quiet()


@pytest.mark.slow
def test_an_order_that_was_approved_is_released_and_held_until_it_is_open(in_review: Sold) -> None:
    """What is released takes no other quantity either: the edit waits on, and goes once people open it again."""
    in_review.office("release")
    in_review.sync()
    assert (answers(in_review), quantities(in_review), status(in_review)) == (
        ["approved"],
        [2, 5],
        "processing",
    )
    assert withheld(in_review) == HELD
    in_review.office("reopen")
    in_review.sync()
    assert (answers(in_review), quantities(in_review), status(in_review)) == (["approved"], [3, 5], "open")
    in_review.quiet()


@pytest.mark.slow
def test_an_order_that_is_asked_about_again_has_both_answers(in_review: Sold) -> None:
    in_review.office("reject")
    in_review.sync()
    in_review.office("review")
    in_review.sync()
    assert answers(in_review) == ["rejected", "open"]
    in_review.office("release")
    in_review.sync()
    assert answers(in_review) == ["rejected", "approved"]
    in_review.quiet()
