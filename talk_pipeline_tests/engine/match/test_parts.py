"""What a step is spared: parts of a flow of which nothing is held are not looked at."""

from talk_pipeline.engine.match.parts import parts_at_hand
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book


def at_hand(book: Book) -> list[str]:
    return [part.name for part in parts_at_hand(book.db, book.flows["order"])]


def test_a_record_alone_is_its_own_part(book: Book) -> None:
    assert at_hand(book) == ["order"]
    book.say("order", Side.SHOP, "o1", {"number": "W1"})
    assert at_hand(book) == ["order"]


def test_children_that_are_held_count_and_other_flows_do_not(book: Book) -> None:
    book.say("customer", Side.SHOP, "c1", {"number": "C1"})
    book.say("order", Side.SHOP, "o1", {"number": "W1"}, children=[{"id": "1", "quantity": "1"}])
    assert at_hand(book) == ["order", "order.lines"], "what charges nothing is no charge"


def test_a_link_both_ends_of_which_are_gone_is_let_go_of_yet(book: Book) -> None:
    book.db.execute(
        "insert into link by name select 'order.fees' as part, 'o1/1' as shop_id, 'b1/1' as bc_id"
    )
    assert at_hand(book) == ["order", "order.fees"]
