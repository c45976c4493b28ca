"""The second implementation of the canonical forms, by table: of every type that flow files may name."""

from zoneinfo import ZoneInfo

import pytest

from talk_pipeline.audit.canonical import canonical, same
from talk_pipeline.flows.composed import Addition
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.types import TYPES, parse_type
from talk_pipeline.flows.values import Context, UnmappableError
from talk_pipeline.systems.businesscentral.beside import Beside
from talk_pipeline.systems.businesscentral.description import EntitySet, Lines

ZONE = ZoneInfo("Europe/Copenhagen")

# type, country, one side, the other side, whether they say the same
ROWS = [
    ("text(100)", None, " Åse ", "A\u030ase", True),
    ("text(100)", None, "a", "A", False),
    ("text(100)", None, "", None, True),
    ("code(20)", None, "dk-1", "DK-1", True),
    ("code(20)", None, "straße", "STRASSE", False),
    ("code(20)", None, "straße", "STRAßE", True),
    ("code(20)", None, "ı", "I", False),
    ("email(80)", None, "A@Ex.example", "a@ex.example", True),
    ("email(80)", None, "a@ex.example", "b@ex.example", False),
    ("phone(30)", "DK", "20 17 86 63", "+45 20178663", True),
    ("phone(30)", "DK", "20 17 86 63", "+46 20178663", False),
    ("phone(30)", None, "20  17", "20 17", True),
    ("registration(20)", "DK", "DK 29 81 97 42", "29819742", True),
    ("registration(20)", "NO", "NO 974 760 673 MVA", "974760673", True),
    ("registration(20)", "GR", "EL123", "123", True),
    ("registration(20)", None, "SE559071328401", "559071328401", True),
    ("registration(20)", "DK", "DK", "DK", True),
    ("country(10)", None, "dk", "DK", True),
    ("currency(10)", None, None, "dkk", True),
    ("currency(10)", None, "EUR", None, False),
    ("decimal(5)", None, "1.500000", "1.5", True),
    ("decimal(5)", None, None, "0", True),
    ("decimal(5)", None, "1e2", "100", True),
    ("money(2)", None, "0.12", "0.125", True),
    ("money(2)", None, "0.13", "0.125", True),
    ("money(2)", None, "0.12", "0.1251", False),
    ("money(2)", None, "0.125", "0.12", False),
    ("money", None, "10", "10.004", True),
    ("date", None, "0001-01-01", None, True),
    ("date", None, "2026-03-01", "2026-03-01T10:00:00Z", True),
    ("instant_date", None, "2026-02-28T23:30:00Z", "2026-03-01", True),
    ("instant_date", None, "2026-02-28T22:30:00Z", "2026-03-01", False),
    ("moment", None, "2026-02-28T23:30:00.1239+01:00", "2026-02-28T22:30:00.123Z", True),
    ("moment", None, "2026-02-28T22:30:00.124Z", "2026-02-28T22:30:00.123Z", False),
    ("moment(0)", None, "2026-02-28T22:30:00Z", "2026-02-28T22:30:00.123Z", True),
    ("moment", None, None, "0001-01-01T00:00:00Z", True),
    ("bool", None, None, "false", True),
    ("bool", None, "True", "true", True),
    ("gtin(14)", None, "012345678905", "00012345678905", True),
    ("gtin(14)", None, "4006381 333931", "04006381333931", True),
    ("reference(customer)", None, "c-1", "c-2", False),
]


@pytest.mark.parametrize(("kind", "country", "left", "right", "alike"), ROWS)
def test_the_two_sides_of_a_value(
    kind: str, country: str | None, left: str | None, right: str | None, alike: bool
) -> None:
    shop, bc = (canonical(kind, value, currency="DKK", zone=ZONE, country=country) for value in (left, right))
    assert same(kind, shop, bc) is alike


@pytest.mark.parametrize(("kind", "country", "left", "right", "alike"), ROWS)
def test_the_engine_says_so_too(
    kind: str, country: str | None, left: str | None, right: str | None, alike: bool
) -> None:
    value_type = parse_type(kind, country="country")
    context = Context(lcy="DKK", zone=ZONE, sibling={"country": country}.get)
    try:
        shop, bc = (value_type.canonical(value, context) for value in (left, right))
    except UnmappableError:
        pytest.skip("it carries no such value")
    assert value_type.equal(shop, bc) is alike


def test_every_type_is_in_the_table() -> None:
    assert {kind.partition("(")[0] for kind, *_ in ROWS} == set(TYPES)


def test_totals_may_differ_by_the_tolerance() -> None:
    assert same("money(2)", "10.00", "10.05", "0.05")
    assert not same("money(2)", "10.00", "10.06", "0.05")
    assert not same("money(2)", "10.001", "10", "0")


def test_every_key_of_a_property_is_known() -> None:
    """A new one means something to the audit too, or is left aside knowingly."""
    known = "shop name dir bc type only required values reads blank blank_keeps split otherwise country in_currency"
    known += " told_by told_as usable_while recreates send_with written conflict keep when_all when_closed"
    known += " composed_of of"
    assert set(Property.model_fields) == set(known.split())


def test_every_key_of_a_description_and_of_an_addition_is_known() -> None:
    known = (
        "entity api set key modified writes notices replica card prices price_mode redefaults recreates"
        " written_last guard properties children beside grouped_by sums moves guarded sorted_by nested way where"
        " named_by within filters selects keys"
    )
    told = {name for model in (EntitySet, Lines, Beside) for name in model.model_fields}
    assert told == set(known.split())
    # where a deleted record is archived changes the word for it, and not whether the audit finds it gone
    assert set(Addition.model_fields) == {"adds_to", "properties", "children", "constants", "archived_in"}
