"""Two values that set each other anew: the one that was told first and undone by the second is given up."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from talk_pipeline.engine.apply.confirmed import Confirmed
from talk_pipeline.engine.apply.unkept import give_up_unkept
from talk_pipeline.engine.model import SEND_WITH, Sent, UnkeptValue
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import of_record, written
from talk_pipeline_tests.engine.plan.conftest import in_step, shop
from talk_pipeline_tests.engine.plan.trade import ORDER, linked

__all__ = ["in_step", "shop"]
CODE, CITY = "shipping_address.postal_code", "shipping_address.city"
TOLD = replace(of_record("update", "5", "b5"), flow="order", part="order", property=CODE)


@pytest.fixture
def order(shop: Book) -> Book:
    """The shop's buyer gave the code of another city, and Business Central made it the old one again."""
    linked(shop, "order", "5", {**ORDER, "number": "O5", CODE: "8000", CITY: "Aarhus C"})
    return shop


def given_up(
    book: Book,
    *,
    told: str = "5000",
    city: str = "edited",
    beside: Sequence[str] = (CITY,),
    operation: str = "update",
    target: Side = Side.BC,
) -> list[UnkeptValue]:
    """Of the city that is told now, with the code going along."""
    sent = {name: Sent("Aarhus C", "Aarhus C", "Odense", rule=city) for name in beside}
    sent[CODE] = Sent(told, told, "5000")
    one: Any = Confirmed("now", "order", "5", "b5", target, operation, sent)  # type: ignore[arg-type]
    book.crowded()
    found = give_up_unkept(book.db, book.projector("order", target), run_id="run", confirmed=[one])
    book.alone()
    return found


def agreed(book: Book) -> list[tuple[str, str]]:
    query = "select shop_value, bc_value from base where part = 'order' and shop_id = '5' and property = ?"
    return book.rows(query, CODE)


def test_a_code_that_was_told_with_the_city_in_this_run_is_given_up(order: Book) -> None:
    order.say("order", Side.SHOP, "5", {CODE: "5000"})
    written(order, TOLD, source="5000", minutes_ago=1, along=[CITY])
    assert given_up(order) == [UnkeptValue("order", "5", CODE, (CITY,), "5000", "8000")]
    assert agreed(order) == [("8000", "8000")]


@pytest.mark.parametrize(
    "otherwise",
    [
        {"run_id": "an earlier one"},
        {"outcome": "refused"},
        {"rule": SEND_WITH},
        {"along": ["email"]},
        {"of": {"target": Side.SHOP}},
        {"of": {"operation": "create"}},
        {"of": {"part": "order.lines"}},
        {"of": {"shop_id": "6"}},
        {"of": {"property": "email"}},
    ],
)
def test_what_was_told_otherwise_is_no_turn(order: Book, otherwise: dict[str, Any]) -> None:
    how: dict[str, Any] = {"source": "5000", "minutes_ago": 1, "along": [CITY]} | otherwise
    written(order, replace(TOLD, **how.pop("of", {})), **how)
    assert given_up(order) == []
    assert agreed(order) == [("8000", "8000")]


@pytest.mark.parametrize(
    "now",
    [
        {"told": "8000"},
        {"city": SEND_WITH},
        {"beside": ["email"]},
        {"operation": "create"},
        {"target": Side.SHOP},
    ],
)
def test_what_is_held_or_is_no_answer_to_the_other_stays(order: Book, now: dict[str, Any]) -> None:
    written(order, TOLD, source="5000", minutes_ago=1, along=[CITY])
    assert given_up(order, **now) == []


def test_each_of_several_is_looked_at(order: Book) -> None:
    """Of one that is held nothing is to be done, and the next is given up."""
    written(order, TOLD, source="5000", minutes_ago=1, along=[CITY])
    linked(order, "order", "6", {**ORDER, "number": "O6", CODE: "5000", CITY: "Odense"})
    sent = {CITY: Sent("Odense", "Odense", "Aarhus C", rule="edited"), CODE: Sent("5000", "5000", "8000")}
    both = [Confirmed("now", "order", key, f"b{key}", Side.BC, "update", sent) for key in ("6", "5")]
    found = give_up_unkept(order.db, order.projector("order", Side.BC), run_id="run", confirmed=both)
    assert [one.shop_id for one in found] == ["5"]
