"""Business Central's spelling of values, there and back."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.businesscentral.values import (
    CALLED,
    UnwritableError,
    dump,
    moment,
    parse,
    read_numbers,
    text_of,
)

SET = EntitySet.model_validate(
    {
        "entity": "things",
        "properties": {
            "text": "text(100)",
            "code": "code(20)",
            **{kind: kind for kind in ("enum", "decimal", "int", "bool", "date", "guid")},
        },
    }
)

BLANKS = [
    ("text", ""),
    ("code", ""),
    ("enum", "_x0020_"),
    ("enum", " "),
    ("date", "0001-01-01"),
    ("guid", "00000000-0000-0000-0000-000000000000"),
    ("text", None),
]


@pytest.mark.parametrize(("path", "wire"), BLANKS)
def test_every_types_blank_is_one(path: str, wire: object) -> None:
    assert SET.decoder([path])({path: wire}) == {path: None}
    assert SET.decoder([path])({}) == {path: None}


@pytest.mark.parametrize(
    ("path", "wire"),
    [("decimal", Decimal(0)), ("int", 0), ("bool", False), *((p, w) for p, w in BLANKS if w and w != " ")],
)
def test_nothing_is_written_as_the_types_blank(path: str, wire: object) -> None:
    assert SET.encode({path: None}) == {path: wire}
    assert SET.encode({path: ""}) == {path: wire}


@pytest.mark.parametrize(
    ("path", "value", "wire"),
    [
        ("int", "3.0", 3),
        ("int", "-30", -30),
        ("int", "1E+3", 1000),
        ("bool", "true", True),
        ("bool", "false", False),
    ],
)
def test_a_value_is_written_as_its_type_has_it(path: str, value: str, wire: object) -> None:
    told = SET.encode({path: value})[path]
    assert (told, type(told)) == (wire, type(wire))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("int", one) for one in ("2.5", "many", "NaN", "-Infinity", "1e19", "1e999999")),
        *(("decimal", one) for one in ("many", "1,5", "NaN", "Infinity")),
        *(("bool", one) for one in ("1", "yes", "True")),
    ],
)
def test_one_that_is_none_of_its_type_is_named_with_it(path: str, value: str) -> None:
    with pytest.raises(UnwritableError, match=f"^{path} of Business Central: {re.escape(repr(value))} is no"):
        SET.encode({"text": "a", path: value})


def test_a_blank_of_one_type_is_a_value_of_another() -> None:
    assert SET.decoder(["text", "decimal"])({"text": "0001-01-01", "decimal": "0"}) == {
        "text": "0001-01-01",
        "decimal": "0",
    }


@given(st.text(min_size=1).filter(str.strip))
def test_a_member_of_an_enumeration_goes_there_and_back(value: str) -> None:
    sent = SET.encode({"enum": value})["enum"]
    assert isinstance(sent, str)
    if all(ord(one) < 0x10000 for one in value) and "_x" not in value:
        assert SET.decoder(["enum"])({"enum": sent}) == {"enum": value}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**12), max_value=10**12))
def test_an_amount_keeps_its_digits(value: Decimal) -> None:
    text = f"{value:f}"
    back = parse(dump(SET.encode({"decimal": text})))
    assert Decimal(back["decimal"]) == value
    assert SET.decoder(["decimal"])(back)["decimal"] == back["decimal"]


@pytest.mark.parametrize("value", ["true", "false"])
def test_yes_and_no_go_there_and_back(value: str) -> None:
    assert SET.decoder(["bool"])(parse(dump(SET.encode({"bool": value})))) == {"bool": value}


@pytest.mark.parametrize(
    ("path", "value", "literal"),
    [
        ("text", "O'Brien", "'O''Brien'"),
        ("code", "C1", "'C1'"),
        ("code", "x" * 20, f"'{'x' * 20}'"),
        ("code", "x" * 21, None),
        ("guid", "a434c527-5fd8-4e13-b196-d47a5fc5c2b5", "a434c527-5fd8-4e13-b196-d47a5fc5c2b5"),
        ("date", "2026-01-01", "2026-01-01"),
    ],
)
def test_a_filter_names_a_value_as_its_type_is_spelled(path: str, value: str, literal: str | None) -> None:
    assert SET.properties[path].literal(value) == literal


def test_moments_are_aware_and_the_blank_one_is_none() -> None:
    told = moment("2026-03-01T12:00:00.1234567+02:00")
    assert told is not None
    assert told.isoformat(timespec="milliseconds") == "2026-03-01T10:00:00.123+00:00"
    assert [moment(one) for one in ("", None, "0001-01-01T00:00:00Z")] == [None, None, None]


def test_every_set_can_be_told_of_a_record_and_when_it_was_modified() -> None:
    for name, described in load_entities().items():
        assert list(described.problems()) == [], name
        assert described.modified is not None or described.grouped_by, name
        assert all(kind.name in CALLED for kind in described.properties.values())


NUMBERS = "[0, 7, -12, 10.50, 0.00, -0.0, 1E5, 1234567890123456789.12, 123456789012345678901234567890]"


@pytest.mark.parametrize("text", [NUMBERS, '["", "\\ud800", true, null]', "[Infinity]"])
def test_a_record_is_read_with_the_digits_it_has(text: str) -> None:
    found = [text_of(value, (), is_enum=False) for value in read_numbers(text)]
    assert found == [text_of(value, (), is_enum=False) for value in parse(text)]
    if text is NUMBERS:
        assert found == text.strip("[]").split(", ")
