"""Texts that go on in further properties: laid out between words, and one text again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.splitting import in_one, laid_out
from talk_pipeline.flows.values import UnmappableError, length
from talk_pipeline_tests.flow_files import copied_flows

APART = (
    Property(shop="line1", dir="<->", bc="addressLine1", type="text(20)", split=("line1", "line2")),
    Property(shop="line2", dir="<->", bc="addressLine2", type="text(10)"),
)
ONE_PLACE = (APART[0].but(shop="street", name="line1"), APART[1].but(shop="street", name="line2"))


def held(group: tuple[Property, ...], side: Side, *texts: str | None) -> tuple[str | None, ...]:
    found = laid_out(group, side, dict(zip(("line1", "line2"), texts, strict=True)))
    return tuple(found[prop.name] for prop in group)


TEXTS = [
    ("Main Street 1", None, "Main Street 1", None),
    ("Main Street 1", "Yard", "Main Street 1", "Yard"),
    ("Old Harbour Road 1234, Gate", None, "Old Harbour Road", "1234, Gate"),
    ("Old Harbour Road 1234", "Gate", "Old Harbour Road", "1234 Gate"),
    ("Main Street 1", "Gate twelve", "Main Street 1 Gate", "twelve"),  # line 1 has room for some of it
    (None, "Second floor", "Second floor", None),
    (None, None, None, None),
    ("12345678901234567890", "1234567890", "12345678901234567890", "1234567890"),
]


@pytest.mark.parametrize(("line1", "line2", "first", "second"), TEXTS)
def test_what_is_too_long_goes_on_in_the_next(
    line1: str | None, line2: str | None, first: str | None, *, second: str | None
) -> None:
    assert held(APART, Side.SHOP, line1, line2) == (first, second)
    assert held(APART, Side.BC, first, second) == (first, second)


@pytest.mark.parametrize(
    "text",
    ["123456789012345678901", "Old Harbour Road 1234, Gate 12 of the yard", "Old Harbour Road 12345678901"],
)
def test_what_has_no_room_is_refused_with_all_the_room_there_is(text: str) -> None:
    with pytest.raises(UnmappableError, match=r"at most 20 \+ 10 fit, split between words: "):
        held(APART, Side.SHOP, text, None)


def test_one_place_in_the_shop_is_all_of_them_wherever_the_line_was_broken() -> None:
    whole = "Main Street 1 Yard"
    assert held(ONE_PLACE, Side.SHOP, whole, whole) == (whole, None)
    assert held(ONE_PLACE, Side.BC, "Main Street 1", "Yard") == (whole, None)


_WORDS = st.lists(
    st.text(st.characters(codec="utf-8", categories=("L", "So")), min_size=1, max_size=9), max_size=9
)


@given(_WORDS)
def test_there_and_back_it_is_the_same(words: list[str]) -> None:
    text = " ".join(words) or None
    try:
        lines = held(ONE_PLACE, Side.SHOP, text, text)
    except UnmappableError:
        return
    assert in_one(lines) == text
    assert all(length(line or "") <= room for line, room in zip(lines, (20, 10), strict=True))
    assert held(ONE_PLACE, Side.BC, *lines) == lines


MISTAKES = [
    ("split: [address.line1]", "address.line1 first, then those it goes on in"),
    ("split: [address.line2, address.line1]", "address.line1 first"),
    ("split: [address.line1, address.line3]", "nothing is called 'address.line3'"),
    ("split: [address.line1, phone]", "phone is no free text"),
    ("split: [address.line1, website]", "stand in another order: website, address.line1"),
    ("split: [address.line1, company_name]", "company_name does not travel"),
]


@pytest.mark.parametrize(("said", "message"), MISTAKES)
def test_a_split_that_cannot_be_is_refused(tmp_path: Path, said: str, message: str) -> None:
    row = "addressLine1,          type: text(100)"
    folder = copied_flows(tmp_path, customer=(row, f"{row}, {said}"))
    with pytest.raises(FlowError, match=r"properties\.7\.split") as caught:
        load_flows(folder)
    assert message in str(caught.value)
