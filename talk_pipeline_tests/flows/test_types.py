"""The laws of the canonical types: there and back compares equal, a canonical form is its own canonical form."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from talk_pipeline.flows.properties import Property, Side
from talk_pipeline.flows.types import TYPES, Amount, parse_type
from talk_pipeline.flows.values import Context, UnmappableError

COPENHAGEN = Context(lcy="DKK", zone=ZoneInfo("Europe/Copenhagen"))

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**9), max_value=10**9)
VALUES = {
    "text": texts,
    "code": texts,
    "email": st.emails(),
    "phone": st.from_regex(r"\+?[0-9 ()-]{4,20}", fullmatch=True),
    "registration": st.from_regex(r"(DK|SE|NO)?[0-9 .-]{6,14}", fullmatch=True),
    "country": st.sampled_from(["DK", "se", " no ", "DE"]),
    "currency": st.sampled_from(["DKK", "eur", None, ""]),
    "decimal": decimals.map(lambda value: format(value, "f")),
    "money": decimals.map(lambda value: format(value, "f")),
    "date": st.dates().map(str),
    "instant_date": st.datetimes(timezones=st.just(ZoneInfo("UTC"))).map(lambda at: at.isoformat()),
    "bool": st.sampled_from(["true", "false", None]),
    "gtin": st.sampled_from(["96385074", "036000291452", "5701234567899", "15701234567896"]),
    "reference": st.uuids().map(str),
}


def test_every_type_has_a_law() -> None:
    assert set(VALUES) == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
@given(data=st.data())
def test_there_and_back_compares_equal(name: str, data: st.DataObject) -> None:
    kind = parse_type("reference(other)" if name == "reference" else name)
    value = data.draw(VALUES[name])
    try:
        canonical = kind.canonical(value, COPENHAGEN)
    except UnmappableError:
        assume(False)  # not a value of this type
    there = kind.convert(value, COPENHAGEN)
    back = kind.convert(there, Context(lcy="DKK", zone=COPENHAGEN.zone, current=value, toward_shop=True))
    assert kind.equal(canonical, kind.canonical(there, COPENHAGEN))
    assert kind.equal(kind.canonical(back, COPENHAGEN), canonical)


@pytest.mark.parametrize("name", TYPES)
@given(data=st.data())
def test_a_canonical_form_is_its_own(name: str, data: st.DataObject) -> None:
    kind = parse_type("reference(other)" if name == "reference" else name)
    try:
        canonical = kind.canonical(data.draw(VALUES[name]), COPENHAGEN)
    except UnmappableError:
        assume(False)
    assert kind.canonical(canonical, COPENHAGEN) == canonical


@pytest.mark.parametrize("blank", [None, "", "   ", "\t\n"])
@pytest.mark.parametrize("name", ["text", "code", "email", "phone", "registration", "country", "date"])
def test_blanks_are_one_value(name: str, blank: str | None) -> None:
    assert parse_type(name).canonical(blank, COPENHAGEN) is None


SAME = [
    ("text(20)", "Café", "Cafe\u0301"),
    ("code(20)", "ab-1 ", "AB-1"),
    ("email(80)", "Info@Example.com", "info@example.COM"),
    ("currency(10)", None, "DKK"),
    ("currency(10)", "eur", "EUR"),
    ("decimal(2)", "12.50", "12.5"),
    ("decimal(2)", "1000", "1000.00"),
    ("decimal(2)", None, "0"),
    ("gtin(14)", "036000291452", "0036000291452"),
    ("gtin(14)", "36000291452".zfill(14), "036000291452"),
    ("instant_date", "2026-03-29T23:30:00Z", "2026-03-30"),
    ("instant_date", "2026-01-15T23:30:00Z", "2026-01-16"),
    ("date", "2026-03-01", "2026-03-01"),
]


@pytest.mark.parametrize(("kind", "shop", "bc"), SAME)
def test_same(kind: str, shop: str | None, bc: str | None) -> None:
    found = parse_type(kind)
    assert found.equal(found.canonical(shop, COPENHAGEN), found.canonical(bc, COPENHAGEN))


PHONES = [
    ("DK", "33 12 34 56", "+45 33123456"),
    ("SE", "08-123 456 78", "+46812345678"),
    ("NO", "22 12 34 56", "0047 22123456"),
    ("FI", "09 1234567", "+358 9 1234567"),
    ("DE", "030 123456", "+49 30 123456"),
    ("NL", "020 123 4567", "+31 20 1234567"),
    ("FR", "01 23 45 67 89", "+33 1 23456789"),
    ("GB", "020 7123 4567", "+44 20 71234567"),
    ("ES", "912 345 678", "+34 912345678"),
    ("PL", "22 123 45 67", "+48221234567"),
]


@pytest.mark.parametrize(("country", "national", "international"), PHONES)
def test_phones_of_ten_countries(country: str, national: str, international: str) -> None:
    context = Context(sibling={"country": country}.get)
    kind = parse_type("phone(30)", country="country")
    assert kind.canonical(national, context) == kind.canonical(international, context)


REGISTRATIONS = [
    ("DK", "DK 12 34 56 74", "12345674"),
    ("SE", "SE556036079301", "556036079301"),
    ("NO", "NO 974 760 673", "974760673"),
    ("FI", "FI-20774740", "2077474-0"),
    ("DE", "DE 136.695.976", "136695976"),
    ("GR", "EL 094259216", "094259216"),
    ("CH", "CHE-100.155.212", "100155212"),
    ("ES", "ESB58378431", "B58378431"),
    ("NL", "nl4495445b01", "4495445B01"),
    ("", "DK12345674", "12345674"),
]


@pytest.mark.parametrize(("country", "one", "other"), REGISTRATIONS)
def test_registration_numbers_of_ten_countries(country: str, one: str, other: str) -> None:
    context = Context(sibling={"country": country}.get)
    kind = parse_type("registration(20)", country="country")
    assert kind.canonical(one, context) == kind.canonical(other, context) is not None


REFUSED = [
    ("text(5)", "abcdef", "at most 5"),
    ("email(80)", "nobody at example", "not an e-mail address"),
    ("phone(30)", "call me", "letters"),
    ("country(10)", "UK", "ISO 3166"),
    ("currency(10)", "DKR", "ISO 4217"),
    ("decimal(2)", "12,50", "not a number"),
    ("decimal(2)", "1.123456", "at most 5"),
    ("decimal(2)", "1" * 20, "out of range"),
    ("date", "31/12/2026", "not a date"),
    ("bool", "maybe", "neither true nor false"),
    ("gtin(14)", "5701234567890", "check digit"),
    ("instant_date", "yesterday around noon", "not an instant"),
]


@pytest.mark.parametrize(("kind", "value", "why"), REFUSED)
def test_what_the_other_side_cannot_hold_is_refused_with_the_value(kind: str, value: str, why: str) -> None:
    with pytest.raises(UnmappableError, match=why):
        parse_type(kind).canonical(value, COPENHAGEN)


def test_amounts_compare_at_the_shops_scale() -> None:
    amount = Amount(places=2)
    assert amount.equal("12.35", "12.34567")
    assert not amount.equal("12.34", "12.34567")
    assert not amount.equal("0.005", "0.006")
    assert amount.equal("0.125", "0.12501")


def test_half_cents_round_like_money() -> None:
    amount = Amount(places=2)
    assert amount.equal("0.12", str(Decimal("0.125") - Decimal("0.00001")))


def test_a_date_from_business_central_keeps_the_shops_time_of_day() -> None:
    prop = Property(shop="ordered_at", dir="<->", bc="orderDate", type="instant_date")
    context = Context(zone=ZoneInfo("Europe/Copenhagen"), current="2026-03-28T10:15:30Z", toward_shop=True)
    assert prop.convert(Side.SHOP, value="2026-03-30", context=context) == "2026-03-30T09:15:30.000Z"


def test_a_lossy_value_map_reads_more_than_it_writes() -> None:
    prop = Property(
        shop="active",
        dir="<->",
        bc="blocked",
        type="bool",
        values={"true": "", "false": "All"},
        reads={"Ship": "false"},
        blank="true",
    )
    assert prop.canonical(Side.BC, value="Ship", context=COPENHAGEN) == "false"
    assert prop.canonical(Side.BC, value=None, context=COPENHAGEN) == "true"
    assert prop.convert(Side.BC, value="false", context=COPENHAGEN) == "All"
    assert prop.convert(Side.BC, value="true", context=COPENHAGEN) == ""
    with pytest.raises(UnmappableError, match="'Maybe'"):
        prop.canonical(Side.BC, value="Maybe", context=COPENHAGEN)
