"""The rules of items."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.records import Records, Values
from talk_pipeline.sandbox.store import Row

_TEMPLATE = (
    ("generalProductPostingGroupId", "generalProductPostingGroups", "RETAIL"),
    ("inventoryPostingGroupId", "inventoryPostingGroups", "RESALE"),
    ("taxGroupId", "taxGroups", "VAT25"),
    ("baseUnitOfMeasureId", "unitsOfMeasure", "PCS"),
)


class Items(Records):
    """Items of one company."""

    def on_create(self, row: Row, sent: Values) -> None:
        """Number it, and let the template fill in what was not sent."""
        if not row["number"]:
            row["number"] = self.company.next_number(self.name)
        elif self.company.settings["item_numbers"] == "series":
            raise errors.dialog("Items are numbered by their series; it does not allow manual numbers.")
        if not self.company.settings["templates"]:
            return
        for name, target, code in _TEMPLATE:
            if name not in sent and not (name.startswith("inventory") and row["type"] != "Inventory"):
                found = self.company.lookup(target, "code", code)
                row[name] = found["id"] if found else values.NO_ID

    def update(self, row: Row, body: Body) -> Row:
        """Change an item; a new stock is posted as an adjustment, which leaves the item itself alone."""
        stock = body.values.pop("inventory", row["inventory"])
        new = super().update(row, body)
        if stock != new["inventory"]:
            if new["type"] != "Inventory":
                raise errors.dialog(f"Item {new['number']} is not of type Inventory and has no stock.")
            new = self.company.save_silently(self.name, {**new, "inventory": stock, "_entries": True})
        if new["number"] != row["number"]:
            for line in self.company.table("salesOrderLines").find("itemId", row["id"]):
                self.company.save_silently("salesOrderLines", {**line, "lineObjectNumber": new["number"]})
        return new

    def on_update(self, row: Row, sent: Values, *, old: Row) -> None:
        """Keep the number a record has when it is sent blank."""
        if not row["number"]:
            row["number"] = old["number"]

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """Numbers, and what may not change once the item is in use."""
        self.unique("number", row["number"], but=row["id"])
        if row["gtin"] and not row["gtin"].isascii() or row["gtin"] and not row["gtin"].isdigit():
            raise errors.dialog(f"The gtin '{row['gtin']}' must consist of digits.")
        if old is None:
            return
        if row["type"] != old["type"] and (self._on_orders(row) or old.get("_entries")):
            raise errors.dialog(f"The type of item {row['number']} cannot change: it is in use.")
        if row["baseUnitOfMeasureId"] != old["baseUnitOfMeasureId"] and old.get("_entries"):
            raise errors.dialog(f"The base unit of item {row['number']} cannot change: it has entries.")

    def delete(self, row: Row) -> None:
        """Only an item that nothing refers to goes."""
        if self._on_orders(row) or row.get("_entries"):
            raise errors.dialog(f"Item {row['number']} has outstanding documents or entries.")
        super().delete(row)

    def _on_orders(self, row: Row) -> bool:
        return bool(self.company.table("salesOrderLines").find("itemId", row["id"]))
