"""What a write will work out anew in Business Central: only what nobody edited there meanwhile."""

from talk_pipeline.engine.apply.bases import recalculations
from talk_pipeline.engine.model import Intended, Intent, Sent
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.trade import BC, LINE, ORDER, PRODUCT, as_said_there, linked

PRICED = {**LINE, "unit_price": "10", "discount_percent": "5"}


def test_what_was_edited_there_is_no_work_of_the_write_whoever_says_the_same(book: Book) -> None:
    linked(book, "product", "1", PRODUCT)
    lines = [PRICED, {**PRICED, "id": "2"}]
    for key in ("2", "3"):
        linked(book, "order", key, {**ORDER, "number": f"O{key}", "customer_id": None}, lines=lines)
    first, second = (as_said_there("order", line) for line in lines)
    book.say("order", BC, "b2", {}, children=[{**first, "unit_price": "12"}, second])
    quantity = Intended("order.lines", "update", "2/1", "b2/1", {"quantity": Sent("2", "2", "1", "edit")})
    found = recalculations(book.db, book.flows["order"], [Intent("order", BC, "2", "b2", quantity)])
    below = {(row.shop_id, row.property) for row in found if row.part == "order.lines"}
    assert below == {("2/1", "discount_percent")}
