"""Invoices: what Business Central invoices of an order is told in the shop, until it is paid."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

Row = dict[str, Any]


@pytest.fixture
def sold(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sold:
    with_optional(world, tmp_path, monkeypatch, "invoice")
    return Sold(world)


def there(sold: Sold) -> list[Row]:
    rows = sold.world.bc.all("salesInvoices").values()
    return sorted(rows, key=lambda row: str(row["number"]))


def test_an_invoice_is_told_and_goes_on_reporting_until_it_is_paid(sold: Sold) -> None:
    sold.office("ship")
    sold.office("invoice")
    sold.sync()
    (told,), (posted,) = sold.documents("invoices"), there(sold)
    assert sold.world.state("order", sold.id) == (
        "closed",
        "posted in Business Central: its story ended there",
    )
    assert (told["number"], told["order_id"], told["status"]) == (posted["number"], sold.id, "open")
    assert (told["date"], told["due_date"]) == (posted["invoiceDate"], posted["dueDate"])
    assert (told["total_excl_tax"], told["total_incl_tax"], told["remaining_amount"]) == (
        "300.00",
        "375.00",
        "375.00",
    )
    assert told["document"] == f"salesInvoices({posted['id']})/pdfDocument/pdfDocumentContent"
    file = sold.world.bc.http.get(f"/{told['document']}")
    assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
    assert posted["number"] in PdfReader(BytesIO(file.content)).pages[0].extract_text()
    assert sold.lines("invoiced_quantity") == ["2", "5"]
    sold.quiet()

    sold.world.bc.control(f"sales-invoices/{posted['id']}/pay", {"amount": 75})
    run = sold.world.step(full=True)  # what remains moves no modified time
    assert not run.failed()
    (told,) = sold.documents("invoices")
    assert (told["status"], told["remaining_amount"]) == ("open", "300.00")
    sold.world.bc.control(f"sales-invoices/{posted['id']}/pay")
    sold.sync()
    (told,) = sold.documents("invoices")
    assert (told["status"], told["remaining_amount"]) == ("paid", "0.00")
    sold.quiet()
    assert not unexplained()


@pytest.mark.slow
def test_each_part_of_an_order_that_is_invoiced_is_an_invoice(sold: Sold) -> None:
    sold.office("ship", 2, 1.5)
    sold.office("invoice")
    sold.sync()
    assert sold.lines("invoiced_quantity") == ["2", "1.5"]
    assert sold.world.shop.get("orders", sold.id)["status"] == "processing"
    sold.office("ship")
    sold.sync()
    assert [row["total_excl_tax"] for row in sold.documents("invoices")] == ["230.00"]
    sold.office("invoice")
    sold.sync()
    assert [row["total_excl_tax"] for row in sold.documents("invoices")] == ["230.00", "70.00"]
    assert [len(row["lines"]) for row in sold.documents("invoices")] == [2, 1]
    assert not sold.world.step(full=True).failed()
    assert sold.world.shop.get("orders", sold.id)["status"] == "completed"
    sold.quiet()
    assert not unexplained()


@pytest.mark.slow
def test_an_invoice_that_is_cancelled_counts_no_more(sold: Sold) -> None:
    sold.office("ship")
    sold.office("invoice")
    sold.sync()
    (posted,) = there(sold)
    sold.world.bc.control(f"sales-invoices/{posted['id']}/cancel")
    sold.sync()
    (told,) = sold.documents("invoices")
    assert (told["status"], told["remaining_amount"]) == ("cancelled", "0.00")
    assert sold.lines("invoiced_quantity") == ["0", "0"]
    sold.quiet()


def test_invoices_of_an_order_that_was_posted_before_it_was_linked_are_told(sold: Sold) -> None:
    """As after a first synchronization, or where the answer to its making was lost and people were faster."""
    world, (placed, entered) = sold.world, sold.posted_before("O2")
    sold.sync()
    assert (world.state("order", placed) or ("",))[0] == "closed"
    assert world.counterpart("order", placed) == entered, "it was that order, and not its invoice"
    sold.sync()
    (told,), (posted,) = sold.documents("invoices"), there(sold)
    assert (told["order_id"], told["number"], told["status"]) == (placed, posted["number"], "open")
    world.bc.control(f"sales-invoices/{posted['id']}/pay")
    sold.sync()
    assert [row["status"] for row in sold.documents("invoices")] == ["paid"]
    sold.quiet()
    assert not unexplained()


def test_an_invoice_that_was_cancelled_before_any_run_saw_it_is_told_though_its_order_is_gone(
    sold: Sold,
) -> None:
    """The order has not ended as posted then; what was billed of it, and taken back, is told all the same."""
    sold.office("ship")
    sold.office("invoice")
    (posted,) = there(sold)
    sold.world.bc.control(f"sales-invoices/{posted['id']}/cancel")
    assert sold.bc_id not in sold.world.bc.all("salesOrders")
    sold.world.step(full=True)
    (told,) = sold.documents("invoices")
    assert (told["number"], told["order_id"], told["status"]) == (posted["number"], sold.id, "cancelled")
    sold.quiet()
