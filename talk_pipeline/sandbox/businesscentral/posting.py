"""Posting sales orders: shipments, invoices, and orders that are gone once all of them is invoiced.

The API can only ship and invoice in one go; shipping and invoicing parts, releasing and reopening are for
people inside Business Central, who come through `backoffice`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal

from talk_pipeline.sandbox import amounts
from talk_pipeline.sandbox.businesscentral import errors, pricing, values
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.order_states import IN_REVIEW, OPEN, RELEASED
from talk_pipeline.sandbox.businesscentral.orders import Orders
from talk_pipeline.sandbox.store import Row

_ZERO = Decimal(0)
_SALES_HEADER = 36
_TERM = re.compile(r"(\d+)([DWM])")
_SHIPMENT_TYPES = {
    "Comment": "_x0020_",
    "Account": "G_x002F_L_x0020_Account",
    "Charge": "Charge_x0020__x0028_Item_x0029_",
}


class Posting:
    """The back office of one company's orders."""

    def __init__(self, company: Company, orders: Orders) -> None:
        self._company = company
        self._orders = orders

    def set_status(self, order: Row, status: str) -> Row:
        """Release or reopen an order, or send it for approval."""
        if status == RELEASED and not any(line["quantity"] for line in self._goods(order)):
            raise errors.dialog(f"There is nothing to release on order {order['number']}.")
        if order["status"] == status:
            return order
        self._approve(order, status, answer="Approved" if status == RELEASED else "Canceled")
        return self._company.save("salesOrders", {**order, "status": status})

    def reject(self, order: Row) -> Row:
        """Say no to an order that waits for approval: it is open again."""
        if order["status"] != IN_REVIEW:
            raise errors.dialog(f"Nobody was asked to approve order {order['number']}.")
        self._approve(order, OPEN, answer="Rejected")
        return self._company.save("salesOrders", {**order, "status": OPEN})

    def _approve(self, order: Row, status: str, *, answer: str) -> None:
        """Sent for approval somebody is asked; whatever follows answers whoever was."""
        company, asked = self._company, self._company.table("approvalEntries").rows
        if status == IN_REVIEW:
            row = company.blank("approvalEntries") | {
                "entryNumber": len(asked) + 1,
                "tableId": _SALES_HEADER,
                "documentType": "Order",
                "documentNumber": order["number"],
                "senderId": "SALES",
                "senderName": "Sales",
                "approverId": "OWNER",
                "approverName": "The owner",
                "status": "Open",
                "dateTimeSentForApproval": company.now_ms(),
                "dueDate": company.today(),
                "amount": order["totalAmountIncludingTax"],
            }
            company.save("approvalEntries", row)
            return
        for row in list(asked.values()):
            if row["documentNumber"] == order["number"] and row["status"] == "Open":
                company.save("approvalEntries", {**row, "status": answer})

    def ship_and_invoice(self, order: Row) -> None:
        """What the bound action does: post what is to be shipped and all that is then to be invoiced."""
        lines = self._goods(order)
        if not lines:
            raise errors.dialog(f"There is nothing to post on order {order['number']}.")
        to_ship = {line["id"]: line["shipQuantity"] for line in lines if line["shipQuantity"]}
        waiting = any(line["shippedQuantity"] != line["invoicedQuantity"] for line in lines)
        if not to_ship and not waiting:
            raise errors.dialog(f"There is nothing to post on order {order['number']}.")
        self._may_post(order)
        if to_ship:
            order = self.ship(order, to_ship)
        self.invoice(order)

    def ship(self, order: Row, quantities: Mapping[str, Decimal] | None = None) -> Row:
        """Post a shipment; everything outstanding unless quantities by line id are given."""
        self._may_post(order)
        lines = self._goods(order)
        if quantities is None:
            quantities = {line["id"]: line["quantity"] - line["shippedQuantity"] for line in lines}
        known = {line["id"]: line for line in lines}
        wanted = {key: quantity for key, quantity in quantities.items() if quantity}
        if not wanted:
            raise errors.dialog(f"There is nothing to ship on order {order['number']}.")
        shipped: dict[str, Decimal] = {}
        for key, quantity in wanted.items():
            line = known.get(key)
            if line is None:
                raise errors.dialog(f"Order {order['number']} has no line {key}.")
            if abs(quantity) > abs(line["quantity"] - line["shippedQuantity"]):
                raise errors.dialog(f"Line {line['sequence']} has less than {quantity} outstanding.")
            shipped[key] = quantity
        self._write_shipment(order, shipped)
        for key, quantity in shipped.items():
            self._ship_line(known[key], quantity)
        full = all(
            line["shippedQuantity"] == line["quantity"] and line["quantity"] for line in self._goods(order)
        )
        new = {**order, "status": RELEASED, "fullyShipped": full}
        if new == order:  # a partial shipment of a released order moves nothing of its header
            return order
        return self._company.save("salesOrders", new)

    def invoice(self, order: Row) -> Row | None:
        """Post an invoice of all that is shipped; returns the order if something of it is left."""
        self._may_post(order)
        due = {
            line["id"]: line["shippedQuantity"] - line["invoicedQuantity"]
            for line in self._goods(order)
            if line["shippedQuantity"] != line["invoicedQuantity"]
        }
        if not due:
            raise errors.dialog(f"There is nothing to invoice on order {order['number']}.")
        self._write_invoice(order, due)
        for line in self._goods(order):
            if line["id"] in due:
                invoiced = line["invoicedQuantity"] + due[line["id"]]
                left = line["quantity"] - invoiced
                self._company.save(
                    "salesOrderLines", {**line, "invoicedQuantity": invoiced, "invoiceQuantity": left}
                )
        over = all(line["invoicedQuantity"] == line["quantity"] for line in self._goods(order))
        if over and self._company.settings["posted_order"] == "removed":
            self._orders.erase(order)
            return None
        return order

    # -- details ----------------------------------------------------------------------------------------------

    def _goods(self, order: Row) -> list[Row]:
        return [line for line in self._company.lines(order["id"]) if line["lineType"] != "Comment"]

    def _may_post(self, order: Row) -> None:
        if order["status"] == IN_REVIEW:
            raise errors.field_rule(f"Order {order['number']} is pending approval.")
        if self._company.settings["external_document_mandatory"] and not order["externalDocumentNumber"]:
            raise errors.field_rule(f"Order {order['number']} needs an externalDocumentNumber.")
        customer = self._company.table("customers").get(order["customerId"])
        if customer is None or customer["blocked"] in ("All", "Ship", "Invoice"):
            raise errors.dialog(f"The customer of order {order['number']} is blocked.")
        for line in self._goods(order):
            item = self._company.table("items").get(line["itemId"])
            if item is not None and item["blocked"]:
                raise errors.field_rule(f"Blocked must be equal to 'No' in item {item['number']}.")

    def _ship_line(self, line: Row, quantity: Decimal) -> None:
        shipped = line["shippedQuantity"] + quantity
        self._company.save(
            "salesOrderLines",
            {**line, "shippedQuantity": shipped, "shipQuantity": line["quantity"] - shipped},
        )
        item = self._company.table("items").get(line["itemId"])
        if item is not None and item["type"] == "Inventory":
            stock = item["inventory"] - quantity
            self._company.save_silently(
                "items", {**item, "inventory": values.trimmed(stock), "_entries": True}
            )

    def _write_shipment(self, order: Row, quantities: Mapping[str, Decimal]) -> None:
        company = self._company
        row = _copied(order, company.blank("postedSalesShipments") | company.blank("salesShipments"))
        row |= {
            "number": company.next_number("salesShipments"),
            "orderNumber": order["number"],
            "invoiceDate": order["orderDate"],
            "postingDate": self._posting_date(order),
            "dueDate": self._due_date(order),
            "currencyCode": self._code("currencies", order["currencyId"]) or company.local_currency,
            "paymentTermsCode": self._code("paymentTerms", order["paymentTermsId"]),
            "shipmentMethodCode": self._code("shipmentMethods", order["shipmentMethodId"]),
        }
        document = company.save("salesShipments", row)
        for line in company.lines(order["id"]):
            copy = _copied(line, company.blank("salesShipmentLines"))
            copy |= {
                "documentId": document["id"],
                "documentNo": document["number"],
                "quantity": quantities.get(line["id"], _ZERO),
                "lineType": _SHIPMENT_TYPES.get(line["lineType"], line["lineType"]),
                "unitOfMeasureCode": self._code("unitsOfMeasure", line["unitOfMeasureId"]),
            }
            company.save("salesShipmentLines", copy)

    def _write_invoice(self, order: Row, quantities: Mapping[str, Decimal]) -> None:
        company = self._company
        row, step = _copied(order, company.blank("salesInvoices")), pricing.step_of(company, order)
        lines = [_invoiced(order, line, quantities, step) for line in company.lines(order["id"])]
        share = sum((line["_share"] for line in lines), _ZERO)
        worked, priced = pricing.recalculate(company, {**order, "discountAmount": share}, lines)
        row |= {name: worked[name] for name in row if name in worked and name != "id"}
        row |= {
            "number": company.next_number("salesInvoices"),
            "orderId": order["id"],
            "orderNumber": order["number"],
            "invoiceDate": order["orderDate"],
            "postingDate": self._posting_date(order),
            "dueDate": self._due_date(order),
            "status": "Open",
            "remainingAmount": worked["totalAmountIncludingTax"],
        }
        document = company.save("salesInvoices", row)
        for line in priced:
            copy = _copied(line, company.blank("salesInvoiceLines"))
            company.save("salesInvoiceLines", copy | {"documentId": document["id"]})

    def _posting_date(self, order: Row) -> str:
        date: str = order["postingDate"]
        return date if date != values.NO_DATE else self._company.today()

    def _due_date(self, order: Row) -> str:
        terms = self._company.table("paymentTerms").get(order["paymentTermsId"])
        start = dt.date.fromisoformat(self._posting_date(order))
        match = _TERM.match(terms["dueDateCalculation"]) if terms else None
        if match is None:
            return start.isoformat()
        days = {"D": 1, "W": 7, "M": 30}[match.group(2)]
        return (start + dt.timedelta(days=int(match.group(1)) * days)).isoformat()

    def _code(self, target: str, key: str) -> str:
        found = self._company.table(target).get(key)
        return str(found["code"]) if found else ""


def _copied(source: Row, target: Row) -> Row:
    """The target with every property both have, under its own id."""
    return {
        name: source[name] if name in source and name != "id" else value for name, value in target.items()
    }


def _invoiced(order: Row, line: Row, quantities: Mapping[str, Decimal], step: Decimal) -> Row:
    """A line as far as it is invoiced, with its part of its own and the order's discount."""
    quantity = quantities.get(line["id"], _ZERO)
    part = quantity / line["quantity"] if line["quantity"] else _ZERO
    kind = "Including" if order["pricesIncludeTax"] else "Excluding"
    share = line[f"amount{kind}Tax"] - line["netAmountIncludingTax" if kind == "Including" else "netAmount"]
    return {
        **line,
        "quantity": quantity,
        "discountAmount": values.trimmed(amounts.rounded(line["discountAmount"] * part, step)),
        "_share": values.trimmed(amounts.rounded(share * part, step)),
    }
