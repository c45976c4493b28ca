"""The dimensions of orders: those that the customer has by default, two of which the order shows itself as well."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.keyed import Keyed
from talk_pipeline.sandbox.businesscentral.records import Values
from talk_pipeline.sandbox.store import Row

SET = "dimensionSetLines"
OWNERS = "salesOrders"
SHORTCUTS = {"DEPARTMENT": "shortcutDimension1Code", "PROJECT": "shortcutDimension2Code"}
"""What the General Ledger Setup says of which dimension an order shows where."""


class DimensionSetLines(Keyed):
    """The dimensions of the orders of one company."""

    def create(self, body: Body) -> Row:
        """Add one; it goes in the place of what the customer has by default."""
        line = super().create(body)
        show(self.company, line["parentId"])
        return line

    def update(self, row: Row, body: Body) -> Row:
        """Give it another value."""
        line = super().update(row, body)
        show(self.company, line["parentId"])
        return line

    def delete(self, row: Row) -> None:
        """Take it away."""
        super().delete(row)
        show(self.company, row["parentId"])

    def on_create(self, row: Row, sent: Values) -> None:
        """Whose it is."""
        if self.company.table(OWNERS).get(row["parentId"]) is None:
            raise errors.dialog("A dimension needs a parentId that exists.")
        for other in self.company.table(SET).find("parentId", row["parentId"]):
            if other["code"] == row["code"]:
                row["id"] = other["id"]

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """A value of that very dimension."""
        super().check(row, sent, old=old)
        value = self.company.table("dimensionValues").get(row["valueId"])
        dimension = self.company.lookup("dimensions", "code", row["code"])
        if value is None or dimension is None or value["dimensionId"] != dimension["id"]:
            raise errors.dialog(f"The value is none of dimension {row['code']}.")


def begin(company: Company, order: Row) -> None:
    """A new order has those of its customer, and those that it says of itself."""
    for default in company.table("defaultDimensions").find("parentId", order["customerId"]):
        dimension = company.table("dimensions").get(default["dimensionId"])
        if dimension is not None and default["dimensionValueId"] != values.NO_ID:
            _put(company, order["id"], dimension["code"], default["dimensionValueId"])


def follow(company: Company, order: Row, sent: Values) -> Row:
    """What an order says of itself is one of its dimensions; what it has is shown."""
    for code, name in SHORTCUTS.items():
        if name in sent:
            value = company.lookup("dimensionValues", "code", sent[name]) if sent[name] else None
            _put(company, order["id"], code, value["id"] if value else values.NO_ID)
    return show(company, order["id"])


def show(company: Company, order_id: str) -> Row:
    """Show the two in the order itself."""
    order = company.table(OWNERS).rows[order_id]
    found = {line["code"]: line for line in company.table(SET).find("parentId", order_id)}
    known = company.table("dimensionValues")
    shown = {}
    for code, name in SHORTCUTS.items():
        value = known.get(found[code]["valueId"]) if code in found else None
        shown[name] = value["code"] if value else ""
    if all(order[name] == value for name, value in shown.items()):
        return order
    return company.save(OWNERS, {**order, **shown})


def forget(company: Company, order_id: str) -> None:
    """They go with their order."""
    for line in list(company.table(SET).find("parentId", order_id)):
        company.remove(SET, line)


def _put(company: Company, order_id: str, code: str, value_id: str) -> None:
    there = next((one for one in company.table(SET).find("parentId", order_id) if one["code"] == code), None)
    if value_id == values.NO_ID:
        if there is not None:
            company.remove(SET, there)
    elif there is None or there["valueId"] != value_id:
        line = there or company.blank(SET) | {"parentId": order_id, "code": code}
        company.save(SET, {**line, "valueId": value_id})
