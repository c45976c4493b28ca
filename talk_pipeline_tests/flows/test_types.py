"""The laws of the canonical types: there and back compares equal, a canonical form is its own canonical form.

What is particular to texts, days and numbers is in modules of their own.
"""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.types import TYPES, parse_type
from talk_pipeline.flows.values import Context, UnmappableError

COPENHAGEN = Context(lcy="DKK", zone=ZoneInfo("Europe/Copenhagen"), sibling={"country": "DK"}.get)
ZONES = (
    "Europe/Copenhagen",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "America/Scoresbysund",
    "UTC",
)

# composed and decomposed, right to left, joined emoji, what cannot be seen, what upper-cases to more characters
PIECES = [
    *("é", "e\u0301", "Å", "\u212b", "ß", "ı", "İ", "ŉ", "ǰ", "ﬁ", "ς", "ᾳ", "α\u0345", "\u200f", "שלום"),
    *("👨\u200d👩\u200d👧", "🏳️", "\u00a0", "\u2003", " ", "\t", "\n", "\x00", "\x1f", "\ud83d", "\ufeff"),
    *("a", "Z", "1", "-", ".", "MVA", "DK"),
]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=40),
)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**9), max_value=10**9)
numbers = st.one_of(
    decimals.map(lambda value: format(value, "f")),
    decimals.map(lambda value: f"{value:e}"),
    st.sampled_from(["-0", "0.005", "1e3", "1E+3", ".5", "5.", "0e99", None]),
)
VALUES = {
    "text": texts,
    "code": texts,
    "email": st.one_of(
        st.emails(), st.sampled_from(["Jürgen@Bücher.example", "STRAßE@Example.COM", "İ@x.example"])
    ),
    "phone": st.from_regex(r"\+?[0-9 ()-]{4,20}(#[0-9]{1,4})?", fullmatch=True),
    "registration": st.one_of(st.from_regex(r"(DK|SE|NO)?[0-9 .-]{6,14}(MVA)?", fullmatch=True), texts),
    "country": st.sampled_from(["DK", "se", " no ", "DE"]),
    "currency": st.sampled_from(["DKK", "eur", None, ""]),
    "decimal": numbers,
    "money": numbers,
    "date": st.one_of(st.dates().map(str), st.datetimes().map(str)),
    "instant_date": st.datetimes(timezones=st.sampled_from(ZONES).map(ZoneInfo)).map(
        lambda at: at.isoformat()
    ),
    "moment": st.datetimes(timezones=st.sampled_from(ZONES).map(ZoneInfo)).map(lambda at: at.isoformat()),
    "bool": st.sampled_from(["true", "false", None]),
    "gtin": st.sampled_from(
        ["96385074", "036000291452", "5701234567899", "15701234567896", "5 701234-567899"]
    ),
    "reference": st.uuids().map(str),
}


def test_every_type_has_a_law() -> None:
    assert set(VALUES) == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
@given(data=st.data())
def test_there_and_back_compares_equal(name: str, data: st.DataObject) -> None:
    kind = parse_type("reference(other)" if name == "reference" else name, country="country")
    here = Context(lcy="DKK", zone=ZoneInfo(data.draw(st.sampled_from(ZONES))), sibling={"country": "NO"}.get)
    value = data.draw(VALUES[name])
    try:
        canonical = kind.canonical(value, here)
        there = kind.convert(value, here)
    except UnmappableError:
        assume(False)  # not a value of this type
    back = kind.convert(
        there, Context(lcy="DKK", zone=here.zone, sibling=here.sibling, current=value, toward_shop=True)
    )
    assert kind.equal(canonical, kind.canonical(there, here))
    assert kind.equal(kind.canonical(back, here), canonical)


@pytest.mark.parametrize("name", TYPES)
@given(data=st.data())
def test_a_canonical_form_is_its_own(name: str, data: st.DataObject) -> None:
    kind = parse_type("reference(other)" if name == "reference" else name, country="country")
    try:
        canonical = kind.canonical(data.draw(VALUES[name]), COPENHAGEN)
    except UnmappableError:
        assume(False)
    assert kind.canonical(canonical, COPENHAGEN) == canonical


@pytest.mark.parametrize("name", TYPES)
@given(value=texts)
def test_whatever_the_text_it_is_held_or_refused(name: str, value: str) -> None:
    kind = parse_type("reference(other)" if name == "reference" else f"{name}", country="country")
    try:
        sent = kind.convert(value, COPENHAGEN)
    except UnmappableError as error:
        str(error).encode()
        return
    assert sent is None or sent.encode().strip()


@pytest.mark.parametrize("blank", [None, "", "   ", "\t\n", "\u00a0\u2003"])
@pytest.mark.parametrize("name", sorted(set(TYPES) - {"reference", "currency", "decimal", "money", "bool"}))
def test_blanks_are_one_value(name: str, blank: str | None) -> None:
    assert parse_type(name).canonical(blank, COPENHAGEN) is None
    assert parse_type(name).convert(blank, COPENHAGEN) is None


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_where_business_central_has_no_blank_its_own_counts(blank: str | None) -> None:
    said = {
        name: parse_type(name).canonical(blank, COPENHAGEN)
        for name in ("decimal", "money", "bool", "currency")
    }
    assert said == {"decimal": "0", "money": "0", "bool": "false", "currency": "DKK"}


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
    ("moment", "2026-03-29T01:30:00.1239+02:00", "2026-03-28T23:30:00.123Z"),
    ("moment", "2026-03-28T23:30:00", "2026-03-28T23:30:00Z"),
    ("moment", None, "0001-01-01T00:00:00Z"),
    ("moment(0)", "2026-03-28T23:30:00Z", "2026-03-28T23:30:00.987Z"),
]


@pytest.mark.parametrize(("kind", "shop", "bc"), SAME)
def test_same(kind: str, shop: str | None, bc: str | None) -> None:
    found = parse_type(kind)
    assert found.equal(found.canonical(shop, COPENHAGEN), found.canonical(bc, COPENHAGEN))


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
    ("moment", "at noon", "not an instant"),
    ("moment", "1752-12-31T12:00:00Z", "before 1753-01-01"),
]


@pytest.mark.parametrize(("kind", "value", "why"), REFUSED)
def test_what_the_other_side_cannot_hold_is_refused_with_the_value(kind: str, value: str, why: str) -> None:
    with pytest.raises(UnmappableError, match=why):
        parse_type(kind).canonical(value, COPENHAGEN)


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


def test_the_words_of_a_value_map_are_compared_as_values_are() -> None:
    prop = Property(shop="unit", dir="<->", bc="unit", type="code(10)", values={"pcs": "PCS"})
    assert prop.convert(Side.BC, value=" Pcs", context=COPENHAGEN) == "PCS"
    with pytest.raises(UnmappableError, match="'box' is not among the values the flow maps: pcs"):
        prop.canonical(Side.SHOP, value="box", context=COPENHAGEN)
    with pytest.raises(ValueError, match="'perhaps' is neither true nor false"):
        Property(shop="active", dir="<->", bc="blocked", type="bool", values={"perhaps": "All"})
