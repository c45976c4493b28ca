"""The values of a sales order line: the order in which they take effect, and what each brings with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox import amounts
from talk_pipeline.sandbox.businesscentral import errors, pricing, values
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.records import Values
from talk_pipeline.sandbox.store import Row

_ZERO = Decimal(0)
_ORDER = (
    "lineType",
    "itemId",
    "accountId",
    "lineObjectNumber",
    "itemVariantId",
    "unitOfMeasureId",
    "locationId",
    "taxCode",
    "quantity",
    "unitPrice",
)
_MONEY = ("quantity", "unitPrice", "discountPercent", "discountAmount", "shipQuantity", "invoiceQuantity")


def apply(company: Company, order: Row, row: Row, sent: Values) -> None:
    """Let the values of a body take effect one after the other."""
    if row["lineType"] == "Comment" or not row["lineObjectNumber"]:
        for name in _MONEY:
            if sent.get(name):
                raise errors.field_rule(f"The line needs an item or account before it can have a {name}.")
    names = list(sent)
    if company.settings["validation_order"] == "fixed":
        names.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    for name in names:
        if row[name] != sent[name]:  # what is there already is not validated again
            _set(company, order, row, name, sent[name])


def _set(company: Company, order: Row, row: Row, name: str, value: Any) -> None:
    match name:
        case "quantity":
            set_quantity(company, order, row, value)
            if row["lineType"] == "Item" and (
                row["_listed"] or pricing.price_for(company, order, row).listed
            ):
                set_price(company, order, row)
        case "unitPrice":
            row |= {"unitPrice": value, "_listed": False}
            keep_percent(company, order, row)
        case "discountPercent":
            if not 0 <= value <= 100:
                raise errors.field_rule("discountPercent must be between 0 and 100.")
            row["discountPercent"] = value
            keep_percent(company, order, row)
        case "discountAmount":
            _set_discount(company, order, row, value)
        case "unitOfMeasureId":
            _set_unit(company, order, row, value)
        case "itemVariantId":
            variant = company.table("itemVariants").get(value)
            if value != values.NO_ID and (variant is None or variant["itemId"] != row["itemId"]):
                raise errors.dialog("The itemVariantId does not belong to the item of the line.")
            row["itemVariantId"] = value
        case "taxCode":
            set_tax(company, row, value)
        case "shipQuantity" | "invoiceQuantity":
            done = row["shippedQuantity" if name == "shipQuantity" else "invoicedQuantity"]
            if abs(value) > abs(row["quantity"] - done):
                raise errors.dialog(f"{name} cannot be more than what is outstanding.")
            row[name] = value
        case "lineObjectNumber":
            raise errors.dialog("The lineObjectNumber of a line cannot be changed.")
        case _:
            row[name] = value


def set_quantity(company: Company, order: Row, row: Row, quantity: Decimal) -> None:
    """A quantity, and what is left of it to ship and to invoice."""
    row["quantity"] = quantity
    if "shippedQuantity" in row:  # of a credit memo nothing is shipped
        shipped = row["shippedQuantity"]
        if abs(quantity) < abs(shipped) or quantity * shipped < 0:
            raise errors.field_rule(f"quantity must not be less than {shipped}, which is shipped.")
        row |= {"shipQuantity": quantity - shipped, "invoiceQuantity": quantity - row["invoicedQuantity"]}
    keep_percent(company, order, row)


def set_price(company: Company, order: Row, row: Row) -> None:
    """The price that the price lists or the item give for what the line holds now."""
    price = pricing.price_for(company, order, row)
    row |= {"unitPrice": price.amount, "_listed": price.listed}
    keep_percent(company, order, row)


def _set_discount(company: Company, order: Row, row: Row, discount: Decimal) -> None:
    gross = amounts.rounded(row["quantity"] * row["unitPrice"], pricing.step_of(company, order))
    if not row["quantity"]:
        raise errors.field_rule("A line needs a quantity before it can have a discountAmount.")
    if discount and (abs(discount) > abs(gross) or discount * gross < 0):
        raise errors.dialog("The discountAmount cannot be more than the amount of the line.")
    row["discountAmount"] = discount
    row["discountPercent"] = values.rounded(discount * 100 / gross, 5) if gross else _ZERO


def _set_unit(company: Company, order: Row, row: Row, unit_id: str) -> None:
    item = company.table("items").get(row["itemId"])
    if item is not None:
        allowed = {unit["unitOfMeasureId"] for unit in company.units.find("itemId", item["id"])}
        if unit_id not in allowed | {item["baseUnitOfMeasureId"]}:
            raise errors.dialog(f"The unit of measure is not one of item {item['number']}.")
    row["unitOfMeasureId"] = unit_id
    if item is not None:
        set_price(company, order, row)


def set_tax(company: Company, row: Row, code: str) -> None:
    """The tax group of that code, and its rate."""
    group = company.lookup("taxGroups", "code", code)
    if group is None:
        raise errors.dialog(f"The taxCode '{code}' does not match any tax group.")
    row |= {"taxCode": group["_identifier"], "taxPercent": group["_rate"]}


def keep_percent(company: Company, order: Row, row: Row) -> None:
    """The discount amount that follows from the percentage."""
    step = pricing.step_of(company, order)
    gross = amounts.rounded(row["quantity"] * row["unitPrice"], step)
    row["discountAmount"] = values.trimmed(amounts.percent_of(gross, row["discountPercent"], step))
