"""The rules of sales order lines: what they stand for, and what moves the order above them.

How their values take effect is in `line_values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from talk_pipeline.sandbox.businesscentral import errors, line_values, pricing, values
from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.order_states import OPEN, status_guard
from talk_pipeline.sandbox.businesscentral.order_totals import recalculated
from talk_pipeline.sandbox.businesscentral.records import Records, Values
from talk_pipeline.sandbox.store import Row

_STEP = 10_000
_ZERO = Decimal(0)
_AMOUNTS = ("amountExcludingTax", "amountIncludingTax", "netAmount", "netAmountIncludingTax")
_OBJECTS: Mapping[str, Mapping[str, str]] = {
    "Resource": {"FITTER": "Fitting on site", "DESIGN": "Drawing work"},
    "Charge": {"FREIGHT": "Freight", "CUSTOMS": "Customs clearance"},
    "Fixed_x0020_Asset": {"FA000010": "Delivery van"},
    "Allocation_x0020_Account": {"ALLOC01": "Shared costs"},
}
"""Objects of lines that are neither items nor accounts; the API has no sets for them."""


class OrderLines(Records):
    """Lines of the sales orders of one company; `parent` names the set of the documents they belong to."""

    parent = "salesOrders"

    # -- the three verbs --------------------------------------------------------------------------------------

    def create(self, body: Body) -> Row:
        """Add a line to the order its documentId names."""
        order = self.company.table(self.parent).get(body.values.get("documentId", values.NO_ID))
        if order is None:
            raise errors.dialog("A line needs the documentId of a sales order that exists.")
        return self._finished(order, self.create_in(order, body))

    def create_in(self, order: Row, body: Body) -> Row:
        """Add a line without bringing the order's amounts up to date."""
        sent = self.resolved(body.values)
        row = self.company.blank(self.name)
        row |= {"documentId": order["id"], "_listed": False, "_line_discount": _ZERO}
        if sent.pop("documentId", order["id"]) != order["id"]:
            raise errors.dialog("The documentId differs from the order in the address.")
        row["sequence"] = self._sequence(order, sent.pop("sequence", 0))
        line_type = self._type_of(sent)
        if line_type != "Comment":
            self._guard(order, "lines")
        row["lineType"] = line_type
        sent.pop("lineType", None)
        self._set_object(order, row, sent)
        line_values.apply(self.company, order, row, sent)
        return self.company.save(self.name, row)

    def update(self, row: Row, body: Body) -> Row:
        """Change a line; its order moves only if amounts do."""
        order = self.company.table(self.parent).rows[row["documentId"]]
        sent = self.resolved(body.values)
        changed = {name for name, value in sent.items() if value != row[name]}
        for name in changed:
            if self.set.properties[name].guarded and row["lineType"] != "Comment":
                self._guard(order, name)
        new = dict(row)
        if changed & {"lineType", "itemId", "accountId"}:
            self._guard(order, "lineType")
            self._switch(order, new, sent)
        if changed:
            line_values.apply(self.company, order, new, sent)
        if new == row:
            if self.company.settings["unchanged_write"] == "moves":
                return self.company.save(self.name, row)
            return row
        self.company.save(self.name, new)
        return self._finished(order, new, before=row)

    def delete(self, row: Row) -> None:
        """Remove a line, and let the order follow."""
        order = self.company.table(self.parent).rows[row["documentId"]]
        if row["lineType"] != "Comment":
            self._guard(order, "lines")
        if row.get("shippedQuantity") != row.get("invoicedQuantity"):
            raise errors.dialog("The line is shipped and not invoiced; it cannot be deleted.")
        self.company.remove(self.name, row)
        self._follow(order, touched=True)

    # -- for the order ----------------------------------------------------------------------------------------

    def recreate(self, order: Row) -> None:
        """Make all lines anew, under new ids and with new prices, as a new customer demands."""
        for old in self.company.lines(order["id"], self.parent):
            self.company.remove(self.name, old)
            new = {**old, "id": self.company.new_id()}
            if old["lineType"] == "Item":
                quantity, unit = old["quantity"], old["unitOfMeasureId"]
                self._take_item(order, new, old["itemId"], quantity=_ZERO)
                new["unitOfMeasureId"] = unit
                line_values.set_quantity(self.company, order, new, quantity)
                line_values.set_price(self.company, order, new)
            self.company.save(self.name, new)

    def switch_tax(self, order: Row) -> None:
        """Prices with tax become prices without or the other way round, if the settings say so."""
        if self.company.settings["tax_switch"] != "recalculates":
            return
        for line in self.company.lines(order["id"], self.parent):
            factor = 1 + line["taxPercent"] / 100
            price = line["unitPrice"] * factor if order["pricesIncludeTax"] else line["unitPrice"] / factor
            new = {**line, "unitPrice": values.rounded(price, pricing.UNIT_PLACES)}
            line_values.keep_percent(self.company, order, new)
            self.company.save(self.name, new)

    # -- what a line stands for -------------------------------------------------------------------------------

    def _type_of(self, sent: Values) -> str:
        item, account = (sent.get(name, values.NO_ID) != values.NO_ID for name in ("itemId", "accountId"))
        if item and account:
            raise errors.dialog("A line has an itemId or an accountId, not both.")
        if item:
            return "Item"
        return "Account" if account else str(sent.get("lineType", "Comment"))

    def _set_object(self, order: Row, row: Row, sent: Values) -> None:
        """Point a new line at its item, account or other object, and take over what that brings."""
        number = sent.pop("lineObjectNumber", "")
        item_id, account_id = sent.pop("itemId", values.NO_ID), sent.pop("accountId", values.NO_ID)
        match row["lineType"]:
            case "Item":
                item_id = self._by_number("items", item_id, number)
                if item_id != values.NO_ID:
                    self._take_item(order, row, item_id, quantity=_ZERO)
            case "Account":
                account_id = self._by_number("accounts", account_id, number)
                if account_id != values.NO_ID:
                    self._take_account(row, account_id)
            case "Comment":
                if number:
                    raise errors.dialog("A comment line has no lineObjectNumber.")
            case other:
                self._take_other(row, other, number)

    def _switch(self, order: Row, row: Row, sent: Values) -> None:
        """Point an existing line at something else."""
        item, account = sent.pop("itemId", None), sent.pop("accountId", None)
        wanted = self._type_of({"itemId": item or values.NO_ID, "accountId": account or values.NO_ID} | sent)
        line_type = sent.pop("lineType", None)
        if item is None and account is None:
            wanted = line_type or row["lineType"]
        quantity = row["quantity"]
        if wanted != row["lineType"] or item == values.NO_ID or account == values.NO_ID:
            blank = self.company.blank(self.name)
            preserved = ("id", "documentId", "sequence", "_version", "_listed", "_line_discount")
            row |= {name: value for name, value in blank.items() if name not in preserved}
            row["lineType"] = wanted
        if item not in (None, values.NO_ID):
            self._take_item(order, row, str(item), quantity=quantity)
        elif account not in (None, values.NO_ID):
            self._take_account(row, str(account))

    def _by_number(self, target: str, key: str, number: str) -> str:
        """The id of an object that a line names by id, number or both."""
        if not number:
            return key
        found = self.company.lookup(target, "number", number)
        if found is None:
            raise errors.dialog(f"The lineObjectNumber '{number}' does not match any record in {target}.")
        if key not in (values.NO_ID, found["id"]):
            raise errors.dialog("The lineObjectNumber names another record than the id does.")
        return str(found["id"])

    def _take_item(self, order: Row, row: Row, item_id: str, *, quantity: Decimal) -> None:
        item = self.company.table("items").get(item_id)
        if item is None:
            raise self.missing_reference("itemId", item_id)
        number = item["number"]
        if item["blocked"]:
            raise errors.field_rule(f"Blocked must be equal to 'No' in item {number}.")
        needed = ["generalProductPostingGroupId", "baseUnitOfMeasureId"]
        needed += ["inventoryPostingGroupId"] if item["type"] == "Inventory" else []
        for name in needed:
            if item[name] == values.NO_ID:
                raise errors.field_rule(f"Item {number} needs a {name.removesuffix('Id')}.")
        group = self.company.table("taxGroups").get(item["taxGroupId"])
        row |= {
            "lineType": "Item",
            "itemId": item_id,
            "accountId": values.NO_ID,
            "lineObjectNumber": number,
            "description": item["displayName"],
            "description2": item["displayName2"],
            "unitOfMeasureId": item["baseUnitOfMeasureId"],
            "itemVariantId": values.NO_ID,
            "shipmentDate": self.company.today(),
            "taxPercent": group["_rate"] if group else _ZERO,
            "taxCode": group["_identifier"] if group else "",
            "discountPercent": _ZERO,
            "discountAmount": _ZERO,
        }
        line_values.set_quantity(self.company, order, row, quantity)
        line_values.set_price(self.company, order, row)

    def _take_account(self, row: Row, account_id: str) -> None:
        account = self.company.table("accounts").get(account_id)
        if account is None:
            raise self.missing_reference("accountId", account_id)
        row |= {
            "lineType": "Account",
            "accountId": account_id,
            "lineObjectNumber": account["number"],
            "description": account["displayName"],
            "shipmentDate": self.company.today(),
        }
        line_values.set_tax(self.company, row, "VAT25")

    def _take_other(self, row: Row, line_type: str, number: str) -> None:
        if not number:
            return
        if number not in _OBJECTS[line_type]:
            raise errors.dialog(f"The lineObjectNumber '{number}' does not match any {line_type}.")
        row |= {
            "lineObjectNumber": number,
            "description": _OBJECTS[line_type][number],
            "shipmentDate": self.company.today(),
        }
        line_values.set_tax(self.company, row, "VAT25")

    # -- consequences -----------------------------------------------------------------------------------------

    def _sequence(self, order: Row, wanted: int) -> int:
        taken = [line["sequence"] for line in self.company.lines(order["id"], self.parent)]
        if wanted and wanted in taken:
            raise errors.dialog(f"Sequence {wanted} exists already on the order.")
        return wanted or max(taken, default=0) + _STEP

    def _guard(self, order: Row, name: str) -> None:
        if order["status"] != OPEN:
            raise status_guard(name, order["status"])

    def _finished(self, order: Row, line: Row, *, before: Row | None = None) -> Row:
        """Bring the order up to date after a line came or changed; returns the line as it is now."""
        if before is not None and before["quantity"] and not line["quantity"] and order["discountAmount"]:
            share = before["amountExcludingTax"] - before["netAmount"]
            if order["pricesIncludeTax"]:
                share = before["amountIncludingTax"] - before["netAmountIncludingTax"]
            lowered = max(_ZERO, order["discountAmount"] - share)
            order = self.company.save_silently(self.parent, {**order, "discountAmount": lowered})
        self._follow(order, touched=before is None, line_id=line["id"], before=before)
        return self.company.table(self.name).rows[line["id"]]

    def _follow(self, order: Row, *, touched: bool, line_id: str = "", before: Row | None = None) -> None:
        """Recalculate the order; its entity tag and time move only for what is documented to move them."""
        new = recalculated(self.company, order, self.parent)
        line = self.company.table(self.name).get(line_id) if line_id else None
        moved = before is not None and line is not None and any(line[n] != before[n] for n in _AMOUNTS)
        if touched or moved or new["fullyShipped"] != order["fullyShipped"]:
            later = self.company.settings["discount_redistribution"] == "on_read"
            self.company.save(self.parent, {**new, "_pending": later and bool(new["discountAmount"])})
