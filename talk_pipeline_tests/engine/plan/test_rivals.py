"""New records that share a key: one goes first, and the others wait for it."""

from dataclasses import replace
from typing import Any

import pytest

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.plan.rivals import withhold_rivals
from talk_pipeline.engine.plan.workspace import OnTheirWay
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import known, of_record, planned

SHOP, BC = Side.SHOP, Side.BC


def new(book: Book, key: str, number: str | None, *, side: Side = SHOP, **more: Any) -> None:
    """A record of a side that is to be created on the other, with a number."""
    ids = (key, None) if side is SHOP else (None, key)
    planned(book, replace(replace(of_record("create", *ids), target=side.other), **more))
    known(book, "customer", side, key, [key], {"number": number})


def waiting(book: Book, *on_their_way: tuple[str, Side, str]) -> dict[str, str]:
    """Who waits, and why; others may be on their way already."""
    OnTheirWay.empty(book.db)
    for part, target, source in on_their_way:
        values = [part, target, source, None, None, "no answer came"]
        book.db.execute("insert into on_their_way values (?, ?, ?, ?, ?, ?)", values)
    withhold_rivals(book.db, book.flows["customer"], OnTheirWay(book.db, len(on_their_way)))
    rows = book.rows(
        "select coalesce(shop_id, bc_id), hold_reason from change where hold_kind = ?", str(HoldKind.WAITING)
    )
    return dict(rows)


def test_the_shorter_and_then_the_lower_id_goes_first(book: Book) -> None:
    for key in ("10", "9", "8"):
        new(book, key, "C1")
    reason = "number C1 is that of 8, which goes first"
    assert waiting(book) == {"9": reason, "10": reason}


def test_one_that_is_on_its_way_goes_before_all(book: Book) -> None:
    new(book, "1", "C1")
    known(book, "customer", SHOP, "22", ["22"], {"number": "C1"})
    assert waiting(book, ("customer", BC, "22")) == {"1": "number C1 is that of 22, which goes first"}


def test_so_it_is_of_those_that_were_born_in_business_central(book: Book) -> None:
    for key in ("b2", "b1"):
        new(book, key, "C1", side=BC)
    assert waiting(book) == {"b2": "number C1 is that of b1, which goes first"}


@pytest.mark.parametrize(("part", "target"), [("product", BC), ("customer", SHOP)])
def test_what_is_on_its_way_elsewhere_is_no_rival(book: Book, part: str, target: Side) -> None:
    new(book, "1", "C1")
    known(book, "customer", SHOP, "22", ["22"], {"number": "C1"})
    assert waiting(book, (part, target, "22")) == {}


@pytest.mark.parametrize("number", [None, "C2"])
def test_without_a_number_or_with_another_nobody_waits(book: Book, number: str | None) -> None:
    new(book, "1", number)
    new(book, "2", None if number is None else "C1")
    assert waiting(book) == {}


def test_the_two_sides_are_no_rivals(book: Book) -> None:
    new(book, "1", "C1")
    new(book, "b1", "C1", side=BC)
    assert waiting(book) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"flow": "product"},
        {"part": "product"},
        {"operation": "update"},
        {"hold_kind": HoldKind.QUARANTINED},
    ],
)
def test_only_what_is_created_now_is_a_rival(book: Book, more: dict[str, Any]) -> None:
    new(book, "1", "C1", **more)
    new(book, "2", "C1")
    assert waiting(book) == {}


@pytest.mark.parametrize(
    ("part", "side", "key"), [("product", SHOP, "1"), ("customer", BC, "1"), ("customer", SHOP, "3")]
)
def test_the_number_is_that_of_the_record_itself(book: Book, part: str, side: Side, key: str) -> None:
    """Not of one that is only called alike, nor of a third."""
    new(book, "1", "C1")
    new(book, "2", "C2")
    known(book, part, side, key, [key], {"number": "C2", "sku": "C2"})
    assert waiting(book) == {}


@pytest.mark.parametrize(
    "more", [{"flow": "product"}, {"part": "product"}, {"operation": "update"}, {"target": SHOP}]
)
def test_what_else_is_planned_of_the_one_that_waits_goes_on(book: Book, more: dict[str, Any]) -> None:
    new(book, "1", "C1")
    new(book, "2", "C1")
    planned(book, replace(of_record("create", "2"), **more, before="of another kind"))
    waiting(book)
    assert book.rows("select before from change where hold_kind is not null") == [(None,)]


def test_who_is_held_already_keeps_its_reason(book: Book) -> None:
    new(book, "1", "C1")
    new(book, "2", "C1")
    held = replace(of_record("create", "2"), property="phone", hold_kind=HoldKind.REFUSED, hold_reason="why")
    planned(book, held)
    waiting(book)
    assert book.rows("select hold_reason from change where property = 'phone'") == [("why",)]
