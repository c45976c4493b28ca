"""What becomes of posted invoices and of credit memos: paid, cancelled, posted, applied to each other.

None of it can be done through the sets that are served here; people do it, through `backoffice`.
"""

from __future__ import annotations

from decimal import Decimal

from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.company import POSTED_MEMOS, Company
from talk_pipeline.sandbox.businesscentral.order_states import OPEN
from talk_pipeline.sandbox.store import Row

_POSTED = "Open"
_PAID = "Paid"
_CANCELLED = "Canceled"
_ZERO = Decimal(0)


class Settling:
    """The ledger of one company's customers, as far as documents show it."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def pay(self, invoice: Row, amount: Decimal | None = None) -> Row:
        """A payment; all that remains unless an amount is given.

        What remains is worked out whenever the invoice is shown: its time moves only where its status does.
        """
        if invoice["status"] != _POSTED:
            raise errors.dialog(f"Invoice {invoice['number']} is not open.")
        paid = invoice["remainingAmount"] if amount is None else amount
        if not 0 < paid <= invoice["remainingAmount"]:
            raise errors.dialog(f"Invoice {invoice['number']} has {invoice['remainingAmount']} left to pay.")
        return self._less(invoice, paid)

    def cancel(self, invoice: Row) -> Row:
        """A corrective credit memo of all of it; only while nothing was paid, as there."""
        if invoice["status"] != _POSTED or invoice["remainingAmount"] != invoice["totalAmountIncludingTax"]:
            raise errors.dialog(f"Invoice {invoice['number']} is paid, or cancelled already.")
        company = self._company
        memo = _copied(invoice, company.blank("salesCreditMemos"))
        memo |= {
            "number": company.next_number("salesCreditMemos", series=POSTED_MEMOS),
            "creditMemoDate": company.today(),
            "invoiceId": invoice["id"],
            "status": "Corrective",
        }
        memo = company.save("salesCreditMemos", memo)
        for line in company.table("salesInvoiceLines").find("documentId", invoice["id"]):
            copy = _copied(line, company.blank("salesCreditMemoLines")) | {"documentId": memo["id"]}
            company.save("salesCreditMemoLines", copy)
        return company.save("salesInvoices", {**invoice, "status": _CANCELLED, "remainingAmount": _ZERO})

    def correct(self, invoice: Row, *, of_order: bool) -> Row:
        """Another invoice in the place of a cancelled one; who copies it by hand has none that names the order."""
        if invoice["status"] != _CANCELLED:
            raise errors.dialog(f"Invoice {invoice['number']} is not cancelled.")
        company = self._company
        again = _copied(invoice, company.blank("salesInvoices"))
        again |= {
            "number": company.next_number("salesInvoices"),
            "status": _POSTED,
            "remainingAmount": invoice["totalAmountIncludingTax"],
        }
        if not of_order:
            again |= {name: company.blank("salesInvoices")[name] for name in ("orderId", "orderNumber")}
        again = company.save("salesInvoices", again)
        for line in company.table("salesInvoiceLines").find("documentId", invoice["id"]):
            copy = _copied(line, company.blank("salesInvoiceLines")) | {"documentId": again["id"]}
            company.save("salesInvoiceLines", copy)
        return again

    def post(self, memo: Row) -> Row:
        """A draft becomes a posted credit memo under another number; what it is applied to is that much less."""
        company, amount = self._company, memo["totalAmountIncludingTax"]
        if memo["status"] != OPEN:
            raise errors.dialog(f"Credit memo {memo['number']} is posted already.")
        if not any(line["quantity"] for line in company.lines(memo["id"], "salesCreditMemos")):
            raise errors.dialog(f"There is nothing to post on credit memo {memo['number']}.")
        invoice = company.table("salesInvoices").get(memo["invoiceId"])
        left = amount
        if invoice is not None and invoice["status"] == _POSTED:
            applied = min(amount, invoice["remainingAmount"])
            left = amount - applied
            self._less(invoice, applied)
        posted = {
            "number": company.next_number("salesCreditMemos", series=POSTED_MEMOS),
            "status": _POSTED if left else _PAID,
        }
        return company.save("salesCreditMemos", {**memo, **posted})

    def refund(self, memo: Row) -> Row:
        """What a posted one still owes the customer is paid out."""
        if memo["status"] != _POSTED:
            raise errors.dialog(f"Credit memo {memo['number']} owes nothing.")
        return self._company.save("salesCreditMemos", {**memo, "status": _PAID})

    def _less(self, invoice: Row, amount: Decimal) -> Row:
        left = values.trimmed(invoice["remainingAmount"] - amount)
        if left:
            return self._company.save_silently("salesInvoices", {**invoice, "remainingAmount": left})
        return self._company.save("salesInvoices", {**invoice, "remainingAmount": left, "status": _PAID})


def _copied(source: Row, target: Row) -> Row:
    return {
        name: source[name] if name in source and name != "id" else value for name, value in target.items()
    }
