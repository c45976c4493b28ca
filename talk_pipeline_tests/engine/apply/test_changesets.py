"""What is sent of one record, and in which order its lines go."""

from pathlib import Path

from talk_pipeline.engine.apply.changesets import Changeset, Composer, pending_changesets, pending_roots
from talk_pipeline.engine.apply.intents import intended, intent_for
from talk_pipeline.engine.model import Outcome, Result
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import COMPANY, Book
from talk_pipeline_tests.engine.plan.trade import BC, LINE, ORDER, PRODUCT, SHOP, as_said_there, linked
from talk_pipeline_tests.flow_files import copied_flows, flows_in
from talk_pipeline_tests.pipeline.charges import NAMED


def pending(book: Book) -> Changeset:
    """What there is to tell Business Central of the one order."""
    flow = book.flows["order"]
    [changeset] = pending_changesets(book.db, flow, Side.BC, roots=pending_roots(book.db, flow, Side.BC))
    return changeset


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
    assert [(one.operation, one.shop_id) for one in pending(book).children] == [
        ("delete", "1/2"),
        ("update", "1/1"),
        ("create", "1/3"),
    ]


def test_what_somebody_had_just_changed_of_a_line_that_goes_is_a_conflict_with_its_last_value(
    tmp_path: Path,
) -> None:
    flows = copied_flows(tmp_path / "flows", order=("conflict: last_writer", "conflict: customwebshop"))
    with Book.opened(tmp_path / "state", flows_in(flows)) as book:
        linked(book, "product", "1", PRODUCT)
        linked(book, "order", "1", {**ORDER, "customer_id": None}, lines=[LINE])
        there = {**as_said_there("order", LINE), "quantity": "7"}
        book.say("order", BC, "b1", {}, children=[there])
        book.say("order", SHOP, "1", {}, children=[])
        book.plan("order")
        changeset = pending(book)
        [line] = changeset.children
        sent = Composer(book.flows["order"], BC, COMPANY).removal(line).sent
        intent = intent_for(changeset, intended(line, sent))
        book.conclude("order", BC, [(intent, Outcome(Result.DONE))])
        lost = book.rows("select shop_id, property, rule, winner, shop_value, bc_value from conflict")
        assert lost == [("1/1", "quantity", "customwebshop", "customwebshop", None, "7")]


def test_what_is_added_goes_collection_by_collection_each_as_it_stands(tmp_path: Path) -> None:
    with Book.opened(tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", order=NAMED))) as book:
        linked(book, "product", "1", PRODUCT)
        linked(book, "order", "1", {**ORDER, "customer_id": None})
        parts = ("lines", "shipping", "fees")
        rows = [{**LINE, "of": part, "id": key, "amount": "5"} for key in ("2", "1") for part in parts]
        book.say("order", SHOP, "1", {}, children=rows)
        book.plan("order")
        assert [(one.part.key, one.shop_id) for one in pending(book).children] == [
            (key, f"1/{at}") for key in parts for at in (2, 1)
        ]
