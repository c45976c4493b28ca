"""Of which records the totals are reckoned before they are there, and what is told of one that differs."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline.engine.plan.totals import LISTED_TERMS, Difference, to_be_created
from talk_pipeline.flows.compositions import Sum, Term
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import linked, of_record, planned

CREATED = replace(of_record("create", "1"), flow="order", part="order")


def test_those_that_are_planned_held_or_waiting(book: Book) -> None:
    planned(book, CREATED, replace(CREATED, property="phone"))
    for key, flow, state in (
        ("2", "order", "waiting"),
        ("3", "order", "quarantined"),
        ("4", "product", "waiting"),
        ("5", "order", "waiting"),
    ):
        book.db.execute("insert into status (flow, shop_id, state) values (?, ?, ?)", [flow, key, state])
    linked(book, "order", "5", "b5")
    linked(book, "product", "2", "b2")
    assert sorted(to_be_created(book.db, book.flows["order"])) == ["1", "2"]


@pytest.mark.parametrize(
    "more",
    [
        {"flow": "product"},
        {"part": "order.lines"},
        {"target": Side.SHOP},
        {"operation": "update"},
        {"shop_id": None},
    ],
)
def test_no_others(book: Book, more: dict[str, Any]) -> None:
    planned(book, replace(CREATED, **more))
    assert to_be_created(book.db, book.flows["order"]) == []


def test_of_very_many_terms_the_first_are_told_and_what_the_others_come_to() -> None:
    terms = tuple(Term(f"line {n}", "", Decimal(n)) for n in range(1, LISTED_TERMS + 3))
    found = Difference("1", "total_incl_tax", "70", Sum(terms, Decimal(78)))
    assert found.terms.endswith("; and 2 more, that come to 23")
    assert str(terms[LISTED_TERMS - 1]) in found.terms
    assert str(terms[LISTED_TERMS]) not in found.terms
