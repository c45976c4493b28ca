"""Numbers: every digit is kept or the number is refused; half cents; no ping-pong whatever way a shop rounds."""

from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talk_pipeline.flows.types import Amount, parse_type
from talk_pipeline.flows.values import Context, UnmappableError

PLAIN = Context()
MONEY = Amount(places=2, padded=True)

SENT = [
    ("money(2)", "12.5", "12.50"),
    ("money(2)", "12.34567", "12.34567"),
    ("money(2)", "1e3", "1000.00"),
    ("money(2)", "1E-2", "0.01"),
    ("money(2)", "-0", "0.00"),
    ("money(2)", "0e400", "0.00"),
    ("money(2)", "0e-400", "0.00"),
    ("money(2)", "+5", "5.00"),
    ("money(2)", None, "0.00"),
    ("money(3)", "1.5", "1.500"),
    ("decimal(5)", "0.00001", "0.00001"),
    ("decimal(5)", "2.50000", "2.50000"),
    ("decimal(5)", "1.50000000000000000000000000000000000000", "1.50000"),
    ("decimal(5)", ".5", "0.5"),
    ("decimal(5)", "-3.000", "-3.000"),
    ("decimal(2)", "999999999999999.99999", "999999999999999.99999"),
]


@pytest.mark.parametrize(("kind", "value", "sent"), SENT)
def test_every_digit_is_sent_and_no_exponent(kind: str, value: str | None, sent: str) -> None:
    assert parse_type(kind).convert(value, PLAIN) == sent
    assert Decimal(sent) == Decimal(value or 0)


REFUSED = [
    ("1,5", "is not a number"),
    ("1_000", "is not a number"),
    ("１２", "is not a number"),
    ("1 000", "is not a number"),
    ("0x10", "is not a number"),
    ("NaN", "is not a number"),
    ("Infinity", "is not a number"),
    ("1.123456", "has 6 decimals, at most 5 fit"),
    ("1e-7", "has 7 decimals, at most 5 fit"),
    ("1e-999999999", "has 999999999 decimals, at most 5 fit"),
    ("1.00000000000000000000000000000000001", "has 35 decimals, at most 5 fit"),
    ("1e15", "at most 15 digits before the point"),
    ("1e999999999", "at most 15 digits before the point"),
    ("1234567890123456789.12", "at most 15 digits before the point"),
    ("1e9999999999999999999999", "out of range"),
]


@pytest.mark.parametrize(("value", "why"), REFUSED)
def test_what_cannot_be_held_exactly_is_refused_with_the_value(value: str, why: str) -> None:
    with pytest.raises(UnmappableError, match=why) as caught:
        MONEY.canonical(value, PLAIN)
    assert repr(value) in str(caught.value)


def test_amounts_compare_at_the_shops_scale() -> None:
    amount = Amount(places=2)
    assert amount.equal("12.35", "12.34567")
    assert not amount.equal("12.34", "12.34567")
    assert not amount.equal("0.005", "0.006")
    assert amount.equal("0.125", "0.12501")
    assert not amount.equal("12.345", "12.35")  # the shop said more: Business Central rounded it, and says so
    assert not amount.equal("0.01", "0.02")
    assert not amount.equal("12.35", None)


@pytest.mark.parametrize(
    ("before", "alike"),
    [("1.2345", False), ("1.234", False), ("1.23", True), ("1.2300", True), (None, True), ("a lot", True)],
)
def test_a_shop_that_kept_more_decimals_means_a_shorter_number(before: str | None, alike: bool) -> None:
    assert Amount(places=2).equal("1.23", "1.2345", before) is alike


ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("half", ["0.125", "0.135", "-0.125", "2.675", "0.12500", "0.00500"])
def test_a_half_cent_is_understood_whichever_way_it_goes(half: str, rounding: str) -> None:
    kept = str(Decimal(half).quantize(Decimal("0.01"), rounding))
    assert MONEY.equal(MONEY.canonical(kept, PLAIN), MONEY.canonical(half, PLAIN))


@given(
    value=st.decimals(places=5, allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12),
    rounding=st.sampled_from(ROUNDINGS),
    places=st.sampled_from([2, 3]),
)
def test_what_a_shop_rounded_is_no_edit_of_the_shop(value: Decimal, rounding: str, places: int) -> None:
    amount = Amount(places=places, padded=True)
    held = amount.canonical(format(value, "f"), PLAIN)
    sent = Decimal(str(amount.convert(held, PLAIN)))
    kept = format(sent.quantize(Decimal(1).scaleb(-places), rounding), "f")
    assert amount.equal(amount.canonical(kept, PLAIN), held)


@given(
    value=st.decimals(places=5, allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
)
def test_what_business_central_rounded_is_an_edit_that_settles_at_once(value: Decimal) -> None:
    shop = MONEY.canonical(format(value, "f"), PLAIN)
    stored = MONEY.canonical(format(value.quantize(Decimal("0.01"), ROUND_HALF_UP), "f"), PLAIN)
    assert MONEY.equal(shop, stored) == (value == Decimal(str(stored)))
    assert MONEY.equal(MONEY.canonical(MONEY.convert(stored, PLAIN), PLAIN), stored)
