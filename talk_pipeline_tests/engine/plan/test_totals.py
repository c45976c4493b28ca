"""Of which records the totals are reckoned before they are there."""

from dataclasses import replace
from typing import Any

import pytest

from talk_pipeline.engine.plan.totals import to_be_created
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
