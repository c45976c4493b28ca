"""Which links a plan looks at; of every record another flow has one of the same id, which is dirty."""

from dataclasses import replace

from talk_pipeline.engine.plan.concerned import find_concerned, find_touched
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.trade import BC, CUSTOMER, SHOP, linked


def concerned(book: Book) -> list[tuple[str, str, str | None]]:
    """Of customers: the shop's id, what it is linked with or shares, and the first alone."""
    book.crowded()
    found = find_concerned(book.db, book.flows["customer"])
    return book.rows(f"select shop_id, bc_id, own_bc_id from {found.NAME} order by all")


def test_a_link_is_looked_at_when_either_end_is_dirty_and_no_other(shop: Book) -> None:
    for key in ("2", "3", "4"):
        linked(shop, "customer", key, {**CUSTOMER, "number": f"C{key}"})
    assert concerned(shop) == []
    shop.say("customer", SHOP, "2", {"website": "www.a.example"})
    assert concerned(shop) == [("2", "b2", "b2")]
    shop.say("customer", BC, "b3", {"website": "www.a.example"})
    assert concerned(shop) == [("2", "b2", "b2"), ("3", "b3", "b3")]
    shop.alone()
    shop.db.execute(
        "update link set state = 'attached', bc_id = null, shared_id = 'b3'"
        " where part = 'customer' and shop_id = '4'"
    )
    assert concerned(shop) == [("2", "b2", "b2"), ("3", "b3", "b3"), ("4", "b3", None)], "which it shares"


def test_a_pair_has_something_to_tell_while_both_are_there(shop: Book) -> None:
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    shop.tell("customer", SHOP, [replace(shop.record("customer", SHOP, "1", {}), deleted=True)])
    for key in ("b1", "b2"):
        shop.say("customer", BC, key, {"website": "www.a.example"})
    assert [key for key, *_ in concerned(shop)] == ["1", "2"]
    flow = shop.flows["customer"]
    shop.crowded()
    touched, *_ = find_touched(shop.db, flow, flow.parts, find_concerned(shop.db, flow))
    assert shop.rows(f"select root_shop_id from {touched.NAME}") == [("2",)]
