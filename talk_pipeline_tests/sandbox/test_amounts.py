"""The arithmetic of documents: parts add up, figures known from elsewhere come out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talk_pipeline.sandbox.amounts import CENT, LineFacts, document

D = Decimal


def line(quantity: str, price: str, percent: str, discount: str = "0") -> LineFacts:
    return LineFacts(quantity=D(quantity), unit_price=D(price), discount=D(discount), tax_percent=D(percent))


@pytest.mark.parametrize(
    ("lines", "net", "tax", "gross"),
    [
        ([line("16", "21", "23")], "336.00", "77.28", "413.28"),
        ([line("12", "1397.30", "6.00002")], "16767.60", "1006.06", "17773.66"),
        ([line("1", "100", "25"), line("1", "100", "0")], "200.00", "25.00", "225.00"),
        ([line("2", "10", "25", "5")], "15.00", "3.75", "18.75"),
        ([], "0", "0", "0"),
    ],
)
def test_known_figures(lines: list[LineFacts], net: str, tax: str, gross: str) -> None:
    _, totals = document(lines, discount=D(0), prices_include_tax=False)
    assert (totals.excluding_tax, totals.tax, totals.including_tax) == (D(net), D(tax), D(gross))


def test_what_bears_no_discount_is_taxed_in_full() -> None:
    charge = LineFacts(D(1), D(100), D(0), D(0), discounted=False)
    worked, totals = document([line("1", "100", "25"), charge], discount=D(50), prices_include_tax=False)
    assert [one.share for one in worked] == [50, 0]
    assert (totals.excluding_tax, totals.tax) == (D("150.00"), D("12.50"))


amounts = st.decimals(min_value=0, max_value=9999, places=2)
facts = st.builds(
    LineFacts,
    quantity=st.decimals(min_value=0, max_value=500, places=3),
    unit_price=amounts,
    discount=st.just(D(0)),
    tax_percent=st.sampled_from([D(0), D(12), D(25)]),
)


@given(lines=st.lists(facts, max_size=6), share=st.integers(0, 100), taxed=st.booleans())
def test_parts_add_up_to_the_rounded_whole(lines: list[LineFacts], share: int, taxed: bool) -> None:
    base = sum((one.amount for one in lines), D(0))
    discount = (base * share / 100).quantize(CENT)
    worked, totals = document(lines, discount=discount, prices_include_tax=taxed)
    assert sum(one.share for one in worked) == (discount if base else 0)
    assert totals.excluding_tax + totals.tax == totals.including_tax
    whole = totals.including_tax if taxed else totals.excluding_tax
    assert whole == base - (discount if base else 0)
    for one, result in zip(lines, worked, strict=True):
        assert result.including_tax == result.excluding_tax + result.tax
        assert (result.including_tax if taxed else result.excluding_tax) == one.amount
