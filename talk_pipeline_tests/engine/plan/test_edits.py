"""What counts as worked out anew by Business Central: in which run, and for how long."""

from datetime import timedelta
from typing import Any

import pytest

from talk_pipeline.engine.plan.edits import worked_out
from talk_pipeline.engine.plan.workspace import Pairs
from talk_pipeline.engine.state.connection import now
from talk_pipeline_tests.engine.book import Book

PRICE = ("1/1", "unit_price")


def asked(book: Book, run_id: str, *, part: str = "order.lines", name: str = "unit_price") -> None:
    """A request of a run, answered a minute ago, by which a price is worked out anew."""
    at = now() - timedelta(minutes=1)
    book.db.execute(
        "insert into journal (intent_id, run_id, flow, part, target, operation, shop_id, intent_at, outcome_at)"
        " values ($1, $1, 'order', 'order.lines', 'businesscentral', 'update', '1/1', $2, $2)",
        [run_id, at],
    )
    book.db.execute("insert into recalculation values (?, ?, '1/1', ?)", [run_id, part, name])


def found(book: Book, **pair: Any) -> dict[tuple[str, str], bool]:
    """What was, for the run `now`, of one pair."""
    held = {"resend": "businesscentral", "bc_raw": "12", "bc_base": "10", "agreed_at": None} | pair
    query = """
    select '1/1' as shop_id, 'unit_price' as property, $resend::varchar as resend, $bc_raw::varchar as bc_raw,
           $bc_base::varchar as bc_base, $agreed_at::timestamp as agreed_at
    """
    pairs = Pairs.made(book.db, query, held)
    part = book.flows["order"].part("order.lines")
    return worked_out(book.db, part, pairs, differing=[{"resend": "businesscentral"}], run_id="now")


def test_once_in_this_run_is_enough(book: Book) -> None:
    asked(book, "earlier")
    assert found(book) == {PRICE: False}
    asked(book, "now")
    assert found(book) == {PRICE: True}


@pytest.mark.parametrize(
    "pair",
    [
        {"resend": None},
        {"resend": "customwebshop"},
        {"bc_raw": "10"},
        {"agreed_at": now() + timedelta(hours=1)},
    ],
)
def test_what_was_told_again_or_is_what_it_was_is_none(book: Book, pair: dict[str, Any]) -> None:
    asked(book, "now")
    assert found(book, **pair) == {}


def test_an_agreement_before_it_is_no_matter(book: Book) -> None:
    asked(book, "now")
    assert found(book, agreed_at=now() - timedelta(hours=1)) == {PRICE: True}


@pytest.mark.parametrize("other", [{"part": "order"}, {"name": "quantity"}])
def test_nor_is_what_was_worked_out_of_something_else(book: Book, other: dict[str, str]) -> None:
    asked(book, "now", **other)
    assert found(book) == {}
