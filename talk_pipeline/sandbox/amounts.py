"""The arithmetic of an order document, the same in both systems.

A discount on the whole document is spread over its lines in proportion, and tax is worked out on running
totals, so that the parts always add up to the rounded whole. To what is a matter of the currency: the króna has
no smaller coin, the dinar has thousandths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from iso4217 import Currency

CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


@cache
def step_of(currency: str | None) -> Decimal:
    """The smallest unit of a currency; of one that is none, a cent."""
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        return CENT
    return CENT if exponent is None else Decimal(1).scaleb(-exponent)


def rounded(value: Decimal, step: Decimal = CENT) -> Decimal:
    """Rounded half away from zero to a multiple of the smallest unit."""
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What the amounts of a line follow from.

    Attributes:
        quantity: how many.
        unit_price: price of one, with tax if the document's prices include it.
        discount: the line's own discount, as an amount.
        tax_percent: tax on the line.
        discounted: whether it bears a share of the document's discount; charges do not.
        step: the smallest unit of the document's currency.
    """

    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    tax_percent: Decimal
    discounted: bool = True
    step: Decimal = CENT

    @property
    def amount(self) -> Decimal:
        """Quantity times price, less the line's own discount."""
        return rounded(self.quantity * self.unit_price, self.step) - self.discount


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """The amounts of one line before and after its share of the document's discount."""

    excluding_tax: Decimal
    tax: Decimal
    including_tax: Decimal
    share: Decimal
    share_excluding_tax: Decimal
    net: Decimal
    net_tax: Decimal
    net_including_tax: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """The amounts of the document."""

    excluding_tax: Decimal
    tax: Decimal
    including_tax: Decimal


def percent_of(amount: Decimal, percent: Decimal, step: Decimal = CENT) -> Decimal:
    """That part of an amount, rounded."""
    return rounded(amount * percent / _HUNDRED, step)


def document(
    lines: Sequence[LineFacts], *, discount: Decimal, prices_include_tax: bool, step: Decimal = CENT
) -> tuple[list[LineAmounts], Totals]:
    """The amounts of all lines, and of the document they make up."""
    bearing = [line.amount if line.discounted else Decimal(0) for line in lines]
    base = sum(bearing, Decimal(0))
    shares = _spread(discount if base else Decimal(0), bearing, base, step)
    before = _taxed([line.amount for line in lines], lines, prices_include_tax=prices_include_tax, step=step)
    after = _taxed(
        [line.amount - share for line, share in zip(lines, shares, strict=True)],
        lines,
        prices_include_tax=prices_include_tax,
        step=step,
    )
    amounts = [
        LineAmounts(
            excluding_tax=excl,
            tax=tax,
            including_tax=excl + tax,
            share=share,
            share_excluding_tax=excl - net,
            net=net,
            net_tax=net_tax,
            net_including_tax=net + net_tax,
        )
        for (excl, tax), (net, net_tax), share in zip(before, after, shares, strict=True)
    ]
    totals = Totals(
        excluding_tax=sum((line.net for line in amounts), Decimal(0)),
        tax=sum((line.net_tax for line in amounts), Decimal(0)),
        including_tax=sum((line.net_including_tax for line in amounts), Decimal(0)),
    )
    return amounts, totals


def _spread(discount: Decimal, amounts: Sequence[Decimal], base: Decimal, step: Decimal) -> list[Decimal]:
    shares, running, given = [], Decimal(0), Decimal(0)
    for amount in amounts:
        running += amount
        due = rounded(discount * running / base, step) if base else Decimal(0)
        shares.append(due - given)
        given = due
    return shares


def _taxed(
    amounts: Sequence[Decimal], lines: Sequence[LineFacts], *, prices_include_tax: bool, step: Decimal
) -> list[tuple[Decimal, Decimal]]:
    """Amount without tax and tax of each line, rounded on the running total of each rate."""
    running: dict[Decimal, tuple[Decimal, Decimal]] = {}
    result = []
    for amount, line in zip(amounts, lines, strict=True):
        total, settled = running.get(line.tax_percent, (Decimal(0), Decimal(0)))
        total += amount
        if prices_include_tax:
            due = total - rounded(total * _HUNDRED / (_HUNDRED + line.tax_percent), step)
        else:
            due = percent_of(total, line.tax_percent, step)
        tax = due - settled
        running[line.tax_percent] = (total, due)
        result.append((amount - tax if prices_include_tax else amount, tax))
    return result
