"""Credit memos: drafts follow the rules of orders, without anything shipped; posted ones change no more.

One may name the posted invoice that it is applied to. Posting it is for people, who come through `backoffice`.
"""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.order_lines import OrderLines
from talk_pipeline.sandbox.businesscentral.order_states import OPEN
from talk_pipeline.sandbox.businesscentral.orders import Orders
from talk_pipeline.sandbox.businesscentral.records import Values
from talk_pipeline.sandbox.store import Row


class CreditMemoLines(OrderLines):
    """Lines of the credit memos of one company."""

    parent = "salesCreditMemos"


class CreditMemos(Orders):
    """Credit memos of one company."""

    def opened(self) -> Values:
        """Dated today."""
        return {"creditMemoDate": self.company.today(), "discountAppliedBeforeTax": True}

    def guarded(self, name: str) -> bool:
        """A posted one takes nothing."""
        return True

    def delete(self, row: Row) -> None:
        """Only a draft goes."""
        if row["status"] != OPEN:
            raise errors.dialog(f"Credit memo {row['number']} is posted.")
        self.erase(row)

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """The invoice it is applied to is one of the customer's."""
        super().check(row, sent, old=old)
        if row["invoiceId"] == values.NO_ID:
            return
        invoice = self.company.table("salesInvoices").get(row["invoiceId"])
        if invoice is None or invoice["customerId"] != row["customerId"]:
            raise errors.dialog("The invoiceId does not match any posted invoice of the customer.")
