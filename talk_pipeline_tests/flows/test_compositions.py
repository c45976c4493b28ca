"""What a record will come to: the rounding of Business Central, and what is not said because it is not known."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talk_pipeline.flows.compositions import Sum, composed
from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline.flows.properties import ComesTo, Composition
from talk_pipeline.sandbox.amounts import LineFacts, document, percent_of, rounded
from talk_pipeline_tests.flow_files import copied_flows

Row = Mapping[str, str | None]
MADE = Composition(
    children=("rows", "extras"), less={"off": ("rows",)}, rounded_in="money", known_while={"plain": "true"}
)
COMES_TO = {
    "rows": ComesTo(multiplied=("many", "each"), less_percent="percent"),
    "extras": ComesTo(multiplied=("each",)),
}


def row(many: str, each: str, percent: str = "0") -> Row:
    return {"many": many, "each": each, "percent": percent}


def reckoned(rows: list[Row], extras: tuple[str, ...] = (), **record: str | None) -> Sum | None:
    children: dict[str, list[tuple[str, Row]]] = {
        "rows": [(f"row {at}", one) for at, one in enumerate(rows)],
        "extras": [(f"extra {at}", {"each": each}) for at, each in enumerate(extras)],
    }
    values = {"plain": "true", "money": "EUR", "off": "0"} | record
    return composed(MADE, record=values, children=children, comes_to=COMES_TO)


def total(rows: list[Row], extras: tuple[str, ...] = (), **record: str | None) -> str:
    found = reckoned(rows, extras, **record)
    assert found is not None
    return str(found.total)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([row("3", "0.333")], "1.00"),
        ([row("3", "0.335")], "1.01"),
        ([row("1", "0.005")], "0.01"),  # a half goes away from zero
        ([row("1", "-0.005")], "-0.01"),
        ([row("1", "0.125"), row("1", "0.125")], "0.26"),  # each by itself, not the sum
        (
            [row("3", "0.33", "33.33")],
            "0.66",
        ),  # the percentage is one of the rounded product, and rounded too
        ([row("1", "0.99", "50")], "0.49"),
        ([row("16", "21")], "336.00"),
        ([row("999999999999999", "123456789012345.12345")], "123456789012344999993210987654.88"),
        ([], "0.00"),
    ],
)
def test_each_is_rounded_as_business_central_does(rows: list[Row], wanted: str) -> None:
    assert total(rows) == wanted


@pytest.mark.parametrize(
    ("money", "wanted"), [("EUR", "3.33"), ("JPY", "3"), ("KWD", "3.333"), (None, "3.33"), ("XXX", "3.33")]
)
def test_the_currency_says_how_far(money: str | None, wanted: str) -> None:
    assert total([row("1", "3.3331")], money=money) == wanted


def test_what_is_taken_off_goes_down_to_what_bears_it() -> None:
    assert total([row("1", "80")], ("50",), off="20") == "110.00"
    assert total([row("1", "80")], ("50",), off="100") == "50.00"
    assert total([], ("50",), off="100") == "50.00"


def test_what_is_not_known_is_not_said() -> None:
    assert reckoned([row("1", "80")], plain="false") is None
    assert reckoned([row("1", "80")], plain=None) is None
    assert reckoned([{"many": "1", "percent": "0"}]) is None, "the shop does not say what one costs"
    assert total([{"many": "2", "each": "5"}]) == "10.00", "and what it takes off nobody, nobody takes off"


def test_a_term_tells_how_it_comes_about() -> None:
    found = reckoned([row("3", "10", "5")], ("7",), off="2.5")
    assert found is not None
    assert [str(term) for term in found.terms] == [
        "row 0 3 x 10 - 5 % = 28.50",
        "extra 0 7 = 7.00",
        "off -2.50",
    ]


numbers = st.decimals(min_value=-9999, max_value=9999, places=5)
percents = st.decimals(min_value=0, max_value=100, places=5)


@given(
    rows=st.lists(st.tuples(numbers, numbers, percents), max_size=6),
    extras=st.lists(st.decimals(min_value=0, max_value=999, places=2), max_size=3),
    off=st.decimals(min_value=0, max_value=10**6, places=2),
    taxed=st.booleans(),
)
def test_it_is_what_a_document_comes_to(
    rows: list[tuple[Decimal, Decimal, Decimal]], extras: list[Decimal], off: Decimal, taxed: bool
) -> None:
    """The sandbox reckons from the other end: shares and tax first, and then the sum of all."""
    facts = [
        LineFacts(many, each, percent_of(rounded(many * each), percent), Decimal(25))
        for many, each, percent in rows
    ]
    base = sum((fact.amount for fact in facts), Decimal(0))
    facts += [LineFacts(Decimal(1), each, Decimal(0), Decimal(12), discounted=False) for each in extras]
    _, totals = document(facts, discount=min(off, max(base, Decimal(0))), prices_include_tax=taxed)
    known = totals.including_tax if taxed else totals.excluding_tax
    said = [row(f"{many:f}", f"{each:f}", f"{percent:f}") for many, each, percent in rows]
    assert Decimal(total(said, tuple(f"{each:f}" for each in extras), off=f"{off:f}")) == known


PROBLEMS = [
    (
        "children: [lines, shipping, fees], less",
        "children: [lines, freight], less",
        "no child collection 'freight'",
    ),
    ("less: {discount_amount: [lines]}", "less: {discount: [lines]}", "nothing is called 'discount'"),
    ("less: {discount_amount: [lines]}", "less: {discount_amount: [row]}", "no child collection 'row'"),
    ("rounded_in: currency", "rounded_in: money", "nothing is called 'money'"),
    ("known_while: {prices_include_tax", "known_while: {gross", "nothing is called 'gross'"),
    ("multiplied: [quantity, unit_price]", "multiplied: [quantity, price]", "nothing is called 'price'"),
    ("comes_to: {multiplied: [quantity", "# {multiplied: [quantity", "no child collection 'lines'"),
    ("less_percent: discount_percent", "less_percent: percent", "nothing is called 'percent'"),
    (
        'dir: "=", bc: totalAmountExcludingTax',
        "dir: <->, bc: totalAmountExcludingTax",
        "compared alone: dir =",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), PROBLEMS)
def test_a_mistake_is_named_by_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    folder = copied_flows(tmp_path / "flows", order=(old, new))
    with pytest.raises(FlowError, match=r"order.yaml:\d+: ") as raised:
        load_flows(folder)
    assert told in str(raised.value)
