"""The rules of records that several of their properties tell apart together, such as the variants of an item."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.records import Records, Values
from talk_pipeline.sandbox.store import Row


class Keyed(Records):
    """One such set of one company."""

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """What is required there must be, and each key once."""
        for entry in self.set.properties.values():
            if entry.required and row[entry.name] == values.blank(entry):
                raise errors.required(entry.name)
            if entry.options and row[entry.name] not in ("", *entry.options):
                raise errors.dialog(f"The {entry.name} '{row[entry.name]}' is none of its options.")
        names = self.set.unique
        for other in self.company.table(self.name).find(names[0], row[names[0]]):
            if other["id"] != row["id"] and all(other[name] == row[name] for name in names):
                raise self.duplicate(", ".join(names), ", ".join(str(row[name]) for name in names))


class ItemVariants(Keyed):
    """The variants of items."""

    def delete(self, row: Row) -> None:
        """Only one that is on no order goes."""
        for line in self.company.table("salesOrderLines").find("itemId", row["itemId"]):
            if line["itemVariantId"] == row["id"]:
                raise errors.dialog(f"Variant {row['code']} is on a sales order and cannot be deleted.")
        super().delete(row)


class DefaultDimensions(Keyed):
    """The dimensions that records have by default."""

    def on_create(self, row: Row, sent: Values) -> None:
        """Whose they are."""
        owners = (("customers", "Customer"), ("items", "Item"))
        found = (kind for name, kind in owners if self.company.table(name).get(row["parentId"]))
        row["parentType"] = next(found, values.BLANK_MEMBER)
        if row["parentType"] == values.BLANK_MEMBER:
            raise errors.dialog("A default dimension needs a parentId that exists.")

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """A value of that very dimension."""
        super().check(row, sent, old=old)
        value = self.company.table("dimensionValues").get(row["dimensionValueId"])
        if value is not None and value["dimensionId"] != row["dimensionId"]:
            raise errors.dialog(f"{value['code']} is no value of the dimension.")
