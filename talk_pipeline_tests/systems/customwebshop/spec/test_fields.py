"""Values on the wire and back: every way a description can tell one."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.fields import Field
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.times import Times

UTC_TIMES = Times("rfc3339", UTC)
LOCAL = Times("%Y-%m-%d %H:%M:%S", ZoneInfo("Europe/Copenhagen"))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", 1),
        ("list[0].x", "first"),
        ("list[-1].x", "second"),
        ("list[kind=mail].x", "second"),
        ("flags[default=true].x", "yes"),
        ("['a.b']", "dotted"),
        ("a.missing", paths.MISSING),
        ("list[7].x", paths.MISSING),
        ("a.b.c", paths.MISSING),
    ],
)
def test_a_path_finds_its_place(path: str, found: Any) -> None:
    data: Json = {
        "a": {"b": 1},
        "a.b": "dotted",
        "list": [{"kind": "post", "x": "first"}, {"kind": "mail", "x": "second"}],
        "flags": [{"default": False, "x": "no"}, {"default": True, "x": "yes"}],
    }
    assert paths.get(data, path) == found


ODD_NUMBERS = [
    "1e30",
    "1E+999999999999",
    "-1e-999999999999",
    "9" * 60,
    "0." + "3" * 40,
    "NaN",
    "sNaN",
    "-Infinity",
]
RECKONED = [
    Field(factor=Decimal(100)),
    Field(per="quantity"),
    Field(percent_off=("price", "quantity")),
    Field(type="minor"),
]


@pytest.mark.parametrize("text", ODD_NUMBERS)
@pytest.mark.parametrize("field", RECKONED, ids=["factor", "per", "percent_off", "minor"])
def test_a_number_that_cannot_be_reckoned_with_is_told_and_stops_nobody(field: Field, text: str) -> None:
    known = {"quantity": "3", "price": "1e20"}
    for told in (known, dict.fromkeys(known, text), {}):
        found = field.read({"amount": text}, "amount", known=told, times=UTC_TIMES)
        assert found is not None
        assert len(found) < 200


def test_writing_a_path_makes_what_is_missing_and_leaves_the_rest() -> None:
    data: dict[str, Any] = {"list": [{"kind": "post", "x": 1}]}
    paths.put(data, "list[kind=mail].x", "new")
    paths.put(data, "list[kind=post].x", "changed")
    paths.put(data, "list[kind=fax].x", None)
    paths.put(data, "a.b.c", 2)
    assert data == {
        "list": [{"kind": "post", "x": "changed"}, {"kind": "mail", "x": "new"}],
        "a": {"b": {"c": 2}},
    }


@pytest.mark.parametrize("text", ["", ".a", "a[", "a[]", "a[=x]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Field(path=text)


@pytest.mark.parametrize(
    ("field", "wire", "value"),
    [
        (Field(type="number"), Decimal("10.50"), "10.50"),
        (Field(type="bool"), True, "true"),
        (Field(values={"Y": "true", "N": "false"}), "N", "false"),
        (Field(type="minor"), 1995, "19.95"),
        (Field(type="minor", currency="cur"), 1995, "1995"),
        (Field(type="time"), "2026-03-02T10:11:12.000Z", "2026-03-02T10:11:12.000Z"),
        (Field(type="time", format="epoch"), 1772446272, "2026-03-02T10:11:12.000Z"),
        (Field(type="date", format="%d/%m/%Y"), "02/03/2026", "2026-03-02"),
        (Field(template="gid://shop/Customer/{}"), "gid://shop/Customer/7", "7"),
        (Field(case="lower"), "dk", "dk"),
        (Field(type="number", factor=Decimal(100)), Decimal("0.125"), "12.5"),
        (Field(factor=Decimal("0.001")), "12500", "12.5"),
        (Field(per="quantity"), "100.00", "33.333"),
        (Field(percent_off=("price", "quantity")), "89.99", "10"),
        (Field(per="quantity", type="minor"), 10000, "33.333"),
        (Field(per="quantity", type="minor", currency="cur"), 100, "33.3"),
        (Field(percent_off=("price", "quantity"), type="minor"), 8999, "10"),
        (Field(per="quantity", decimal=","), "1.000,00", "333.333"),
        (Field(type="minor_text"), "1995", "19.95"),
        (Field(per="quantity", type="minor_text"), "10000", "33.333"),
    ],
)
def test_a_value_is_read_and_written_back(field: Field, wire: Any, value: str) -> None:
    known = {"cur": "JPY", "quantity": "3", "price": "33.33"}
    assert field.read({"x": wire}, "x", known=known, times=UTC_TIMES) == value
    back = field.encode(value, known=known, times=UTC_TIMES)
    if field.inputs:
        told = Decimal(str(back).replace(",", ".")).quantize(Decimal("0.01"))
        assert told == Decimal(str(wire).replace(".", "").replace(",", ".") if field.decimal else wire)
    else:
        assert back == wire


@pytest.mark.parametrize(
    ("currency", "value"),
    [("EUR", "19.95"), ("JPY", "1995"), ("TND", "1.995"), ("CLF", "0.1995"), ("?", "19.95")],
)
def test_minor_units_are_those_of_the_currency(currency: str, value: str) -> None:
    field, known = Field(type="minor", currency="cur"), {"cur": currency}
    assert field.read({"x": 1995}, "x", known=known, times=UTC_TIMES) == value
    assert field.encode(value, known=known, times=UTC_TIMES) == 1995


def test_half_a_cent_is_not_taken_for_an_amount() -> None:
    read = Field(type="minor").read({"x": Decimal("19.5")}, "x", known={}, times=UTC_TIMES)
    assert read == "19.5 (no whole number of minor units)"


def test_a_name_is_joined_and_taken_apart() -> None:
    field = Field(join=("first", "last"))
    person: Json = {"first": "Anna Maria", "last": "Holm"}
    assert field.read(person, "name", known={}, times=UTC_TIMES) == "Anna Maria Holm"
    assert field.parts("Anna Maria Holm") == person
    assert field.parts("Anna") == {"first": "Anna", "last": None}
    assert field.parts(None) == {"first": None, "last": None}


@given(st.lists(st.text("abcæøå", min_size=1), min_size=1, max_size=5))
def test_a_name_survives_the_way_there_and_back(words: list[str]) -> None:
    field, name = Field(join=("first", "last")), " ".join(words)
    assert field.read({**field.parts(name)}, "name", known={}, times=UTC_TIMES) == name


@given(
    price=st.decimals("0.01", "9999.99", places=2),
    quantity=st.decimals("0.5", "500", places=1),
    percent=st.integers(0, 99),
)
def test_amounts_of_whole_lines_give_back_price_and_percent(
    price: Decimal, quantity: Decimal, percent: int
) -> None:
    """At the precision of the wire, here six decimals as shops keep them."""
    known = {"price": str(price), "quantity": str(quantity)}
    total = Field(path="total", percent_off=("price", "quantity"), type="number")
    amount = Decimal(str(total.encode(str(percent), known=known, times=UTC_TIMES)))
    read = total.read({"total": amount.quantize(Decimal("0.000001"))}, "d", known=known, times=UTC_TIMES)
    assert Decimal(str(read)) == percent
    each = Field(path="subtotal", per="quantity", type="number")
    amount = Decimal(str(each.encode(str(price), known=known, times=UTC_TIMES)))
    read = each.read({"subtotal": amount.quantize(Decimal("0.000001"))}, "p", known=known, times=UTC_TIMES)
    assert Decimal(str(read)) == price


def test_times_without_an_offset_are_local() -> None:
    summer, winter = LOCAL.read("2026-07-01 12:00:00"), LOCAL.read("2026-12-01 12:00:00")
    assert summer == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert winter == datetime(2026, 12, 1, 11, tzinfo=UTC)
    assert LOCAL.write(summer) == "2026-07-01 12:00:00"


def test_an_hour_that_comes_twice_is_asked_for_whole() -> None:
    """On 2026-10-25 the clock shows 02:00 to 03:00 twice; a record of the second pass is not to be missed."""
    for moment in (datetime(2026, 10, 25, 0, 45, tzinfo=UTC), datetime(2026, 10, 25, 1, 45, tzinfo=UTC)):
        assert str(LOCAL.since(moment)) <= "2026-10-25 02:00:00"


def test_what_is_no_moment_is_left_to_the_flow_to_name() -> None:
    assert LOCAL.read("soon") is None
    assert Field(type="time").read({"x": "soon"}, "x", known={}, times=LOCAL) == "soon"


def test_a_constant_is_read_and_never_written() -> None:
    field = Field(const="DKK")
    assert field.read({}, "currency", known={}, times=UTC_TIMES) == "DKK"
    assert not field.writable


@pytest.mark.parametrize(
    ("decimal", "wire", "value", "back"),
    [
        (",", "1.234,50", "1234.50", "1234,50"),
        (",", "-0,5", "-0.5", "-0,5"),
        (",", "1 234 567,8", "1234567.8", "1234567,8"),
        (",", "12", "12", "12"),
        (",", "1'234,5", "1234.5", "1234,5"),
        (".", "1,234.50", "1234.50", "1234.50"),
        (",", "much", "much", "much"),
        (",", None, None, None),
    ],
)
def test_a_number_told_as_text_goes_there_and_back(
    decimal: Any, wire: str | None, value: str | None, back: str | None
) -> None:
    field = Field(path="x", decimal=decimal)
    assert field.read({"x": wire}, "x", known={}, times=UTC_TIMES) == value
    assert field.encode(value, known={}, times=UTC_TIMES) == back


def test_any_other_filled_value_may_mean_one() -> None:
    field = Field(path="x", values={"": "open", "*": "cancelled"})
    read = [
        field.read({"x": value}, "x", known={}, times=UTC_TIMES) for value in (None, "", "2024-01-01", True)
    ]
    assert read == ["open", "open", "cancelled", "cancelled"]
    assert field.encode("cancelled", known={}, times=UTC_TIMES) == "cancelled", (
        "a star stands for no one value"
    )


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("Bolt &amp; Nut &#8211; M8", "Bolt & Nut – M8"),
        ("Bolt & Nut", "Bolt & Nut"),
        ("&quot;x&quot; &lt; &#x79;", '"x" < y'),
        ("salt&regular, A&B; &nothing;", "salt&regular, A&B; &nothing;"),  # no entities
        ("&amp;lt;", "&lt;"),
    ],
)
def test_entities_are_read_as_what_they_stand_for(wire: str, value: str) -> None:
    assert Field(type="html").read({"name": wire}, "name", known={}, times=UTC_TIMES) == value


@given(st.lists(st.sampled_from(("&", "&amp;", "amp;", "&#38;", "&lt", ";", "x", " ", "&reg"))).map("".join))
def test_a_text_with_ampersands_comes_back_as_it_was_written(text: str) -> None:
    field = Field(type="html")
    wire = field.encode(text or None, known={}, times=UTC_TIMES)
    assert field.read({"name": wire}, "name", known={}, times=UTC_TIMES) == (text or None)


def test_what_is_no_entity_is_written_as_it_is() -> None:
    assert Field(type="html").encode("Bolt & Nut", known={}, times=UTC_TIMES) == "Bolt & Nut"
    names = Field(type="html", join=("first", "last")).parts("Bolts &amp; Nuts")
    assert names == {"first": "Bolts &amp;amp;", "last": "Nuts"}
