"""What follows from a request that went through: which lines are pairs from then on."""

import pytest

from talk_pipeline.engine.apply.changesets import pending_changesets, pending_roots
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book, Values
from talk_pipeline_tests.engine.given import linked as pair
from talk_pipeline_tests.engine.plan.conftest import in_step, shop
from talk_pipeline_tests.engine.plan.trade import BC, LINE, SHOP, as_said_there

__all__ = ["in_step", "shop"]
NEW = [{**LINE, "id": key, "quantity": quantity} for key, quantity in (("2", "2"), ("3", "3"))]


def there(*lines: Values) -> list[Values]:
    return [as_said_there("order", line) for line in lines]


def lines_linked(book: Book) -> list[tuple[str, str]]:
    return book.rows("select shop_id, bc_id from link where part = 'order.lines' order by all")


def bases(book: Book) -> list[tuple[str, str]]:
    return book.rows(
        "select shop_id, shop_value from base where part = 'order.lines' and property = 'quantity' order by all"
    )


def told(book: Book) -> list[str]:
    """What is asked of the lines of an order, in its order."""
    book.plan("order")
    flow = book.flows["order"]
    [changeset] = pending_changesets(book.db, flow, BC, roots=pending_roots(book.db, flow, BC))
    return [child.operation for child in changeset.children]


def test_lines_are_removed_first_and_added_last_wherever_they_stand(shop: Book) -> None:
    changed = {**LINE, "quantity": "9"}
    shop.say("order", SHOP, "1", {}, children=[NEW[0], changed])
    assert told(shop) == ["update", "create"]
    shop.say("order", SHOP, "1", {}, children=[LINE, *NEW])
    shop.plan("order")
    shop.write("order", BC, children=there(LINE, *NEW))
    shop.say("order", SHOP, "1", {}, children=[changed])
    assert told(shop) == ["delete", "delete", "update"]


def test_new_lines_are_pairs_in_their_order(shop: Book) -> None:
    shop.say("order", SHOP, "1", {}, children=[LINE, *NEW])
    shop.plan("order")
    shop.write("order", BC, children=there(LINE, *NEW))
    assert lines_linked(shop) == [("1/1", "b1/b1"), ("1/2", "b1/b2"), ("1/3", "b1/b3")]
    assert bases(shop) == [("1/1", "1"), ("1/2", "2"), ("1/3", "3")]
    assert shop.plan("order") == []


def test_a_line_that_was_matched_meanwhile_keeps_its_counterpart_and_the_next_gets_its_own(
    shop: Book,
) -> None:
    shop.say("order", SHOP, "1", {}, children=[LINE, *NEW])
    shop.plan("order")
    pair(shop, "order.lines", "1/2", "b1/b2", root="1")
    shop.write("order", BC, children=there(LINE, *NEW))
    assert lines_linked(shop) == [("1/1", "b1/b1"), ("1/2", "b1/b2"), ("1/3", "b1/b3")]
    assert bases(shop) == [("1/1", "1"), ("1/2", "2"), ("1/3", "3")]


def test_a_line_of_another_product_is_none_of_those_that_were_sent(shop: Book) -> None:
    shop.say("order", SHOP, "1", {}, children=[LINE, NEW[0]])
    shop.plan("order")
    shop.write("order", BC, children=there(LINE, {**NEW[0], "product_id": "9"}))
    assert lines_linked(shop) == [("1/1", "b1/b1")]


@pytest.mark.parametrize("gone", [SHOP, BC])
def test_a_line_that_is_made_anew_takes_the_place_of_the_one_it_was(shop: Book, gone: Side) -> None:
    """Removed on one side and edited on the other since: what the old pair had agreed on is over."""
    shop.say("order", gone, "1" if gone is SHOP else "b1", {}, children=[])
    edited, anew = {**LINE, "quantity": "7"}, {**LINE, "id": "2", "quantity": "7"}
    if gone is BC:
        shop.say("order", SHOP, "1", {}, children=[edited])
    else:
        shop.say("order", BC, "b1", {}, children=there(edited))
    shop.plan("order")
    shop.write("order", gone, children=there(anew) if gone is BC else [anew])
    new = ("1/1", "b1/b2") if gone is BC else ("1/2", "b1/b1")
    assert lines_linked(shop) == [new]
    assert bases(shop) == [(new[0], "7")]
    assert {row[0] for row in shop.rows("select shop_id from edit where part = 'order.lines'")} <= {new[0]}
    assert shop.plan("order") == []
