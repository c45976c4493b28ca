"""What an item costs on an order, and the amounts that follow.

A price-list line beats the item card; both are kept without tax unless the item says otherwise. The
arithmetic itself is in `talk_pipeline.sandbox.amounts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox import amounts
from talk_pipeline.sandbox.businesscentral import values
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.store import Row

UNIT_PLACES = 5
_ZERO = Decimal(0)
_DISCOUNTED = ("Item", "Resource")  # accounts and charges are made without "Allow Invoice Disc."


@dataclass(frozen=True, slots=True)
class Price:
    """A unit price in the document's terms, and whether a price list said so."""

    amount: Decimal
    listed: bool


def price_for(company: Company, order: Row, line: Row) -> Price:
    """The unit price of an item line before anyone overrules it."""
    item = company.table("items").get(line["itemId"])
    if item is None:
        return Price(_ZERO, listed=False)
    listed = _listed(company, order, line)
    if listed is not None:
        plain, currency, taxed = listed["_price"], listed["currencyId"], False
    else:
        plain, currency, taxed = item["unitPrice"], values.NO_ID, item["priceIncludesTax"]
    amount = plain * _per_unit(company, line, item)
    if currency != order["currencyId"]:
        amount = amount * rate_of(company, currency) / rate_of(company, order["currencyId"])
    factor = 1 + line["taxPercent"] / 100
    if taxed and not order["pricesIncludeTax"]:
        amount = amount / factor
    elif order["pricesIncludeTax"] and not taxed:
        amount = amount * factor
    return Price(values.rounded(amount, UNIT_PLACES), listed=listed is not None)


def rate_of(company: Company, currency_id: str) -> Decimal:
    """What one unit of a currency is worth in local currency."""
    currency = company.table("currencies").get(currency_id)
    return currency.get("_rate", Decimal(1)) if currency else Decimal(1)


def step_of(company: Company, document: Row) -> Decimal:
    """To what the amounts of a document are rounded: as its currency says, or as the local one has it."""
    currency = company.table("currencies").get(document["currencyId"])
    precision: Decimal = currency["amountRoundingPrecision"] if currency else Decimal(0)
    return precision or amounts.step_of(company.local_currency)


def bears_discount(line: Row) -> bool:
    """Whether a line takes its share of the order's discount."""
    return line["lineType"] in _DISCOUNTED


def recalculate(company: Company, order: Row, lines: list[Row]) -> tuple[Row, list[Row]]:
    """The order and all its lines with every amount worked out anew.

    The order's discount shrinks to what the lines can bear.
    """
    step = step_of(company, order)
    facts = [
        amounts.LineFacts(
            quantity=line["quantity"],
            unit_price=line["unitPrice"],
            discount=line["discountAmount"],
            tax_percent=line["taxPercent"],
            discounted=bears_discount(line),
            step=step,
        )
        for line in lines
    ]
    base = sum((fact.amount for fact in facts if fact.discounted), _ZERO)
    discount = min(order["discountAmount"], max(base, _ZERO))
    worked, totals = amounts.document(
        facts, discount=discount, prices_include_tax=order["pricesIncludeTax"], step=step
    )
    return (
        {
            **order,
            "discountAmount": values.trimmed(discount),
            "discountAppliedBeforeTax": not order["pricesIncludeTax"],
            "totalAmountExcludingTax": values.trimmed(totals.excluding_tax),
            "totalTaxAmount": values.trimmed(totals.tax),
            "totalAmountIncludingTax": values.trimmed(totals.including_tax),
            "fullyShipped": all(_shipped(line) for line in lines if line["lineType"] != "Comment"),
        },
        [{**line, **_line_amounts(result)} for line, result in zip(lines, worked, strict=True)],
    )


def _line_amounts(result: amounts.LineAmounts) -> dict[str, Any]:
    line_amounts = {
        "amountExcludingTax": result.excluding_tax,
        "totalTaxAmount": result.tax,
        "amountIncludingTax": result.including_tax,
        "invoiceDiscountAllocation": result.share_excluding_tax,
        "netAmount": result.net,
        "netTaxAmount": result.net_tax,
        "netAmountIncludingTax": result.net_including_tax,
    }
    return {name: values.trimmed(value) for name, value in line_amounts.items()}


def _shipped(line: Row) -> bool:
    return bool(line["quantity"]) and line.get("shippedQuantity") == line["quantity"]


def _listed(company: Company, order: Row, line: Row) -> Row | None:
    """The best price-list line for this customer, currency and quantity."""
    candidates = [
        price
        for price in company.prices.find("itemId", line["itemId"])
        if price["customerId"] in (values.NO_ID, order["customerId"])
        and price["currencyId"] in (values.NO_ID, order["currencyId"])
        and price["_minimum"] <= line["quantity"]
    ]
    exact = [price for price in candidates if price["currencyId"] == order["currencyId"]]
    return min(exact or candidates, key=lambda price: price["_price"], default=None)


def _per_unit(company: Company, line: Row, item: Row) -> Decimal:
    """How many base units the line's unit holds."""
    if line["unitOfMeasureId"] in (values.NO_ID, item["baseUnitOfMeasureId"]):
        return Decimal(1)
    for unit in company.units.find("itemId", item["id"]):
        if unit["unitOfMeasureId"] == line["unitOfMeasureId"]:
            return Decimal(unit["_per_unit"])
    return Decimal(1)
