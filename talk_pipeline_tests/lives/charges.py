"""What an order of a life comes to with all that it charges, reckoned here from what the shop says of it."""

from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from talk_pipeline_tests.pipeline.charges import FEES, FREIGHT, GIFTS

Row = dict[str, Any]
_CENT = Decimal("0.01")
_PERCENT = Decimal(100)


def charged(row: Row) -> Counter[tuple[str, Decimal]]:
    """The charges of a shop's order: account and amount."""
    told = [
        (FREIGHT, row["shipping_amount"]),
        *((FEES, one["amount"]) for one in row["fees"]),
        *((GIFTS, one["amount"]) for one in row["gift_cards"]),
    ]
    return Counter((number, Decimal(amount)) for number, amount in told if Decimal(amount))


def posted(lines: Iterable[Row]) -> Counter[tuple[str, Decimal]]:
    """The same of the lines of a document; one that does not count one, or has a discount, is none of them."""
    return Counter(
        (
            line["lineObjectNumber"] if (line["quantity"], line["discountPercent"]) == (1, 0) else "?",
            line["unitPrice"],
        )
        for line in lines
        if line["lineType"] != "Comment" and line["quantity"]
    )


def reckoned(row: Row) -> Decimal:
    """The total of a shop's order in the kind of its prices, with tax or without."""
    goods = Decimal(0)
    for line in row["lines"]:
        gross = _cents(Decimal(line["quantity"]) * Decimal(line["unit_price"]))
        goods += gross - _cents(gross * Decimal(line["discount_percent"]) / _PERCENT)
    beside = sum((amount * count for (_, amount), count in charged(row).items()), Decimal(0))
    return goods - Decimal(row["discount_amount"]) + beside


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
