"""Refunds of the shop: each becomes the draft of one credit memo; what people make of it is told in the shop."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline_tests.pipeline.documents import Sold, with_optional
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import line, order, product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

Row = dict[str, Any]
ORDER = '  - {shop: order_id, dir: "-", type: text(100)}'


class Returned(Sold):
    """An order that was shipped and invoiced, of which the shop takes something back."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.office("ship")
        self.office("invoice")
        self.sync()
        (self.invoice,) = self.documents("invoices")
        (self.posted,) = world.bc.all("salesInvoices")

    def refund(self, quantity: str = "1", **values: Any) -> str:
        row = {
            "order_id": self.id,
            "invoice_id": self.invoice["id"],
            "date": "2026-03-09",
            "lines": [{"product_id": self.items[0], "quantity": quantity, "unit_price": "100.00"}],
        }
        return str(self.world.shop.post("refunds", row | values)["id"])

    def told(self, key: str) -> Row:
        return self.world.shop.get("refunds", key)

    def memos(self) -> list[Row]:
        rows = self.world.bc.all("salesCreditMemos", "?$expand=salesCreditMemoLines").values()
        return sorted(rows, key=lambda row: str(row["number"]))


@pytest.fixture
def returned(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Returned:
    with_optional(world, tmp_path, monkeypatch, "invoice", "refund")
    return Returned(world)


def test_a_refund_becomes_the_draft_of_one_credit_memo_for_its_invoice(returned: Returned) -> None:
    key = returned.refund()
    returned.sync()
    (memo,) = returned.memos()
    told = returned.told(key)
    assert (memo["status"], memo["externalDocumentNumber"], memo["invoiceId"]) == (
        "Draft",
        told["number"],
        returned.posted,
    )
    assert memo["customerId"] == returned.world.counterpart("customer", returned.buyer)
    (line,) = memo["salesCreditMemoLines"]
    assert (line["itemId"], line["quantity"], line["unitPrice"]) == (
        returned.world.counterpart("product", returned.items[0]),
        1,
        100,
    )
    assert (told["status"], told["erp_number"], told["total_incl_tax"]) == (
        "requested",
        memo["number"],
        "125.00",
    )
    assert returned.lines("refunded_quantity") == ["1", "0"]
    returned.quiet()
    assert not unexplained()


def test_what_people_make_of_it_is_told_and_a_posted_one_is_left_alone(returned: Returned) -> None:
    key = returned.refund()
    returned.sync()
    (draft,) = returned.memos()
    returned.world.bc.control(f"sales-credit-memos/{draft['id']}/post")
    returned.sync()
    (memo,) = returned.memos()
    assert memo["number"] != draft["number"]
    told = returned.told(key)
    assert (told["status"], told["erp_number"]) == ("settled", memo["number"])
    assert not returned.world.step(full=True).failed()
    assert returned.documents("invoices")[0]["remaining_amount"] == "250.00"
    returned.quiet()

    lines = [{"id": row["id"], "quantity": "2"} for row in told["lines"]]
    returned.world.shop.patch("refunds", key, {"lines": lines})
    run = returned.world.step()
    assert run["refund"]["writes"]["businesscentral"] == {"create": 0, "update": 0, "delete": 0}
    held = returned.world.sql("select hold_kind, hold_reason from change where flow = 'refund'")
    assert held == [("guarded", "the credit memo is posted, or in review, in Business Central")]
    assert returned.memos()[0]["salesCreditMemoLines"][0]["quantity"] == 1


@pytest.mark.slow
def test_a_draft_follows_both_ways(returned: Returned) -> None:
    key = returned.refund()
    returned.sync()
    (row,) = returned.told(key)["lines"]
    returned.world.shop.patch("refunds", key, {"lines": [{"id": row["id"], "quantity": "2"}]})
    returned.sync()
    (memo,) = returned.memos()
    (line,) = memo["salesCreditMemoLines"]
    assert line["quantity"] == 2
    returned.world.bc.patch("salesCreditMemoLines", line["id"], {"unitPrice": 80})
    returned.sync()
    assert returned.told(key)["lines"][0]["unit_price"] == "80.00"
    assert returned.told(key)["total_incl_tax"] == "200.00"
    returned.quiet()


@pytest.mark.slow
def test_a_lost_answer_makes_no_second_one(returned: Returned) -> None:
    key = returned.refund()
    returned.world.bc.faults(rule("POST", "salesCreditMemos", drop="after"))
    returned.world.step()
    returned.world.bc.no_faults()
    returned.sync()
    (memo,) = returned.memos()
    assert returned.told(key)["erp_number"] == memo["number"]
    returned.quiet()


@pytest.mark.slow
def test_cancelled_in_the_shop_and_deleted_there_it_is_over(returned: Returned) -> None:
    key = returned.refund()
    returned.sync()
    (memo,) = returned.memos()
    returned.world.shop.patch("refunds", key, {"status": "cancelled"})
    returned.sync()
    assert len(returned.memos()) == 1
    returned.world.bc.delete("salesCreditMemos", memo["id"])
    assert not returned.world.step(full=True).failed()
    state, reason = returned.world.state("refund", key) or ("", "")
    assert (state, reason) == (
        "closed",
        "it is over in the shop, and the Business Central record is vanished",
    )
    returned.quiet()


def test_what_corrects_two_invoices_of_one_order_is_nobodys_twin(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both bear the order's number and are posted, so that nobody could tell them apart by another one."""
    with_optional(world, tmp_path, monkeypatch, "invoice", "refund")
    sold = Sold(world)
    for quantities in ((1, 0), (1, 5)):
        sold.office("ship", *quantities)
        sold.office("invoice")
    for invoice in world.bc.all("salesInvoices"):
        world.bc.control(f"sales-invoices/{invoice}/cancel")
    memos = world.bc.all("salesCreditMemos").values()
    assert [row["externalDocumentNumber"] for row in memos] == ["O1", "O1"]
    assert not world.step("refund", full=True).failed()
    buyer = next(iter(memos))["customerId"]
    world.bc.post("salesCreditMemos", {"customerId": buyer, "externalDocumentNumber": "O1"})
    (told,) = world.step("refund", full=True).failed()
    assert told.startswith("refund.sync.create_keys_unique: 1 create key"), "an open one may be told apart"


def test_a_refund_of_a_guests_order_is_the_guests(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names no customer either; whom its order was given to is told by the order."""
    folder = with_optional(world, tmp_path, monkeypatch, "invoice", "refund", "guest")
    said = {"order": "otherwise: guest", "refund": "otherwise: guest, of: order_id"}
    for name, otherwise in said.items():
        file = folder / f"{name}.yaml"
        text = file.read_text(encoding="utf-8")
        text = text.replace("reference(customer),", f"reference(customer), {otherwise},")
        file.write_text(text, encoding="utf-8")
    file.write_text(text.replace("properties:\n", f"properties:\n{ORDER}\n", 1), encoding="utf-8")
    item = world.shop.post("products", product())["id"]
    key = ""
    for number in ("O1", "O2"):  # the first has the id that the refund will have
        row = order(number, "", [line(item, "2")]) | {"customer_id": None, "email": f"{number}@home.example"}
        key = world.shop.post("orders", row)["id"]
    assert not world.step().failed()
    bc_id = world.counterpart("order", key)
    buyer = world.bc.get("salesOrders", bc_id)["customerId"]
    for action in ("ship", "invoice"):
        world.bc.control(f"sales-orders/{bc_id}/{action}")
    assert not world.step().failed()
    (invoice,) = world.shop.all("invoices")
    lines = [{"product_id": item, "quantity": "1", "unit_price": "100.00"}]
    body = {"order_id": key, "invoice_id": invoice, "date": "2026-03-09", "lines": lines}
    refund = world.shop.post("refunds", body)["id"]
    assert not world.shop.get("refunds", refund)["customer_id"]
    assert not world.step().failed()
    (memo,) = world.bc.all("salesCreditMemos").values()
    assert (memo["customerId"], memo["status"]) == (buyer, "Draft")
    assert world.counterpart("refund", refund) == memo["id"]
    again = world.step(full=True)
    assert (again.failed(), again.writes()) == ([], 0)
    assert not unexplained()
