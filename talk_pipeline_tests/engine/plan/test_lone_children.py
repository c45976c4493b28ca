"""Lines that one side alone has: each is planned by itself, whatever is called alike on the other side."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline_tests.engine.book import Book, Values
from talk_pipeline_tests.engine.plan.trade import BC, LINE, ORDER, PRODUCT, SHOP, as_said_there, linked
from talk_pipeline_tests.flow_files import copied_flows, flows_in


@pytest.fixture(params=["last_writer", "manual"])
def policy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def crossed(tmp_path: Path, policy: str) -> Iterator[Book]:
    """Two orders; the second is called in Business Central as the first is in the shop, and so are their lines."""
    flows = flows_in(copied_flows(tmp_path / "flows", order=("conflict: last_writer", f"conflict: {policy}")))
    with Book.opened(tmp_path / "state", flows) as book:
        linked(book, "product", "1", PRODUCT)
        for key, there, number in (("1", "b1", "O1"), ("2", "1", "O2")):
            order = {**ORDER, "number": number, "customer_id": None}
            book.say("order", SHOP, key, order, children=[LINE])
            book.say("order", BC, there, as_said_there("order", order), children=[there_as(LINE)])
        book.plan("order")
        book.in_step("order")
        assert not book.rows("select * from change where part = 'order.lines'")
        yield book


def there_as(line: Values, **more: str) -> Values:
    return {**as_said_there("order", line), "id": line["id"], **more}


def planned(book: Book, name: str) -> list[tuple[object, ...]]:
    book.plan("order")
    return book.rows(
        "select target, operation, coalesce(shop_id, bc_id), coalesce(after, before), rule, conflict from change"
        " where part = 'order.lines' and property = ? order by all",
        name,
    )


def test_new_ones_of_both_sides_go_with_their_own_values(crossed: Book) -> None:
    new = {**LINE, "id": "3", "description": "Two"}
    crossed.say("order", SHOP, "1", {}, children=[LINE, {**new, "quantity": "3"}])
    crossed.say("order", BC, "1", {}, children=[there_as(LINE), there_as(new, quantity="4")])
    assert planned(crossed, "quantity") == [
        ("businesscentral", "create", "1/3", "3", "create", False),
        ("customwebshop", "create", "1/3", "4", "create", False),
    ]


def test_an_edit_that_was_removed_is_not_one_of_its_namesake(crossed: Book, policy: str) -> None:
    crossed.say("order", SHOP, "2", {}, children=[])
    crossed.say("order", BC, "b1", {}, children=[])
    crossed.say("order", SHOP, "1", {}, children=[{**LINE, "quantity": "7"}])
    disputed = {
        "last_writer": ("businesscentral", "create", "1/1", "7", "last_writer", True),
        "manual": ("customwebshop", "delete", "1/1", "7", "manual", True),
    }
    removed = ("businesscentral", "delete", "2/1", "1", "delete", False)
    assert planned(crossed, "quantity") == sorted([disputed[policy], removed])
    text = planned(crossed, "description")
    assert {conflict for *_, conflict in text} == {False}, "what nobody edited is in no dispute"
    held = crossed.rows(
        "select distinct hold_kind from change where part = 'order.lines' and shop_id = '2/1'"
    )
    assert held == [(None,)]


def test_a_line_that_both_sides_removed_has_no_link_and_every_other_keeps_its_own(crossed: Book) -> None:
    links = "select shop_id, bc_id from link where part = 'order.lines' order by all"
    assert len(crossed.rows(links)) == 2
    crossed.say("order", SHOP, "1", {}, children=[{**LINE, "quantity": "7"}])
    crossed.say("order", SHOP, "2", {}, children=[])
    crossed.say("order", BC, "1", {}, children=[])
    assert planned(crossed, "quantity") == [("businesscentral", "update", "1/1", "7", "edit", False)]
    assert crossed.rows(links) == [("1/1", "b1/1")]


@pytest.mark.parametrize("said", ["10", "no number"])
def test_what_was_blank_and_is_said_of_a_line_that_was_removed_there_is_an_edit_too(
    crossed: Book, policy: str, said: str
) -> None:
    crossed.say("order", BC, "b1", {}, children=[])
    crossed.say("order", SHOP, "1", {}, children=[{**LINE, "discount_percent": said}])
    disputed = {
        "last_writer": ("businesscentral", "create", "1/1", said, "last_writer", True),
        "manual": ("customwebshop", "delete", "1/1", said, "manual", True),
    }
    assert planned(crossed, "discount_percent") == [disputed[policy]]


def test_the_same_in_other_letters_disputes_no_removal(crossed: Book) -> None:
    crossed.say("order", BC, "b1", {}, children=[])
    crossed.say("order", SHOP, "1", {}, children=[{**LINE, "quantity": "1.0"}])
    assert planned(crossed, "quantity") == [("customwebshop", "delete", "1/1", "1.0", "delete", False)]


def over(book: Book) -> None:
    """The first order was posted in Business Central."""
    book.alone()
    book.db.execute("update link set state = 'closed' where part = 'order' and shop_id = '1'")
    book.db.execute("update snapshot set gone = 'posted' where side = 'businesscentral' and id = 'b1'")


def test_of_an_order_that_is_over_only_what_the_shop_adds_and_removes_is_told(crossed: Book) -> None:
    crossed.say("order", SHOP, "1", {}, children=[{**LINE, "id": "3", "description": "Two", "quantity": "3"}])
    crossed.say("order", BC, "b1", {}, children=[there_as(LINE), there_as({**LINE, "id": "4"}, quantity="4")])
    over(crossed)
    assert planned(crossed, "quantity") == [
        ("businesscentral", "create", "1/3", "3", "create", False),
        ("businesscentral", "delete", "1/1", "1", "delete", False),
    ]


def test_a_line_that_goes_there_once_it_is_over_stays_here(crossed: Book) -> None:
    crossed.say("order", BC, "b1", {}, children=[])
    over(crossed)
    assert planned(crossed, "quantity") == []
