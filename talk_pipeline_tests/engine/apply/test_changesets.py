"""What is sent of one record, and in which order its lines go."""

from talk_pipeline.engine.apply.changesets import pending_changesets, pending_roots
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.trade import BC, LINE, ORDER, PRODUCT, SHOP, as_said_there, linked


def test_lines_are_removed_then_edited_then_added_wherever_they_stand(book: Book) -> None:
    for key, sku in (("1", "P1"), ("2", "P2")):
        linked(book, "product", key, {**PRODUCT, "sku": sku})
    lines = [{**LINE, "id": key} for key in ("1", "2")]
    order = {**ORDER, "customer_id": None}
    book.say("order", SHOP, "1", order, children=lines)
    there = [{**as_said_there("order", line), "id": line["id"]} for line in lines]
    book.say("order", BC, "b1", as_said_there("order", order), children=there)
    book.plan("order")
    book.in_step("order")
    changed = [{**LINE, "id": "3", "product_id": "2"}, {**LINE, "id": "1", "quantity": "7"}]
    book.say("order", SHOP, "1", {}, children=changed)
    book.plan("order")
    flow = book.flows["order"]
    [changeset] = pending_changesets(book.db, flow, Side.BC, roots=pending_roots(book.db, flow, Side.BC))
    assert [(one.operation, one.shop_id) for one in changeset.children] == [
        ("delete", "1/2"),
        ("update", "1/1"),
        ("create", "1/3"),
    ]
