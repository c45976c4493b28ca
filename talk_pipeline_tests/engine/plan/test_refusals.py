"""What was refused is not asked again, until something changes that the refusal may have been about."""

import pytest

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.match.outdated import forget_outdated
from talk_pipeline.engine.model import Intended, Intent, Outcome, Result, Sent, UnkeptValue
from talk_pipeline.engine.plan.refusals import refuse, refuse_values
from talk_pipeline.engine.state.meta import set_meta
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book, Values
from talk_pipeline_tests.engine.plan.trade import BC, CUSTOMER, LINE, ORDER, SHOP, as_said_there, linked


@pytest.fixture
def refused(shop: Book) -> Book:
    """Business Central refused to change the order; another order, customer and product are there too."""
    linked(shop, "customer", "2", {**CUSTOMER, "number": "C2"})
    linked(shop, "order", "2", {**ORDER, "number": "O2", "customer_id": "2"}, lines=[{**LINE, "id": "2"}])
    main = Intended("order", "update", "1", "b1", {"currency": Sent("DKK", "DKK", None)})
    intent = Intent("order", BC, "1", "b1", main)
    refuse(shop.db, shop.flows["order"], [(intent, Outcome(Result.REFUSED, reason="no"))])
    return shop


def still_refused(book: Book) -> bool:
    forget_outdated(book.db, book.flows["order"])
    return bool(book.rows("select * from refusal"))


@pytest.mark.parametrize(
    ("side", "flow", "values", "line"),
    [
        (SHOP, "order", {"currency": "EUR"}, {}),
        (BC, "order", {"currency": "EUR"}, {}),
        (SHOP, "order", {}, {"quantity": "2"}),
        (BC, "order", {}, {"quantity": "2"}),
        (BC, "customer", {"company_name": "B"}, {}),
    ],
)
def test_it_is_asked_again_after(refused: Book, side: str, flow: str, values: Values, line: Values) -> None:
    assert still_refused(refused)
    _say(refused, side, flow, "1", values, line)
    assert not still_refused(refused)


@pytest.mark.parametrize(
    ("side", "flow", "values", "line"),
    [
        (SHOP, "order", {"currency": "EUR"}, {"quantity": "2"}),
        (BC, "order", {"currency": "EUR"}, {"quantity": "2"}),
        (BC, "customer", {"company_name": "B"}, {}),
        (SHOP, "customer", {"company_name": "B"}, {}),
    ],
)
def test_another_record_changes_nothing(
    refused: Book, side: str, flow: str, values: Values, line: Values
) -> None:
    _say(refused, side, flow, "2", values, line)
    assert still_refused(refused)


def test_a_value_that_only_comes_from_there_changes_nothing(refused: Book) -> None:
    refused.say("order", BC, "b1", {"status": "Open"})
    assert still_refused(refused)


def test_it_is_asked_again_once_the_flow_says_something_else(refused: Book) -> None:
    flow = refused.flows["order"]
    forget_outdated(refused.db, flow.but(settings=flow.settings.but(tolerance=1)))
    assert not refused.rows("select * from refusal")


@pytest.mark.parametrize("side", list(Side))
def test_it_is_asked_again_once_a_system_is_described_otherwise(refused: Book, side: Side) -> None:
    set_meta(refused.db, f"projection:order:{side}", "read otherwise")
    assert not still_refused(refused)


def _say(book: Book, side: str, flow: str, key: str, values: Values, line: Values) -> None:
    lines: list[Values] = [{**LINE, "id": key, **line}] if flow == "order" else []
    if side == BC:
        key, lines = f"b{key}", [as_said_there("order", one) for one in lines]
    book.say(flow, Side(side), key, values, children=lines)


def test_values_of_a_record_and_its_line_are_refused_once_each(shop: Book) -> None:
    kept = ("order", "1", "email"), ("order.lines", "1/1", "quantity"), ("order", "1", "phone")
    values = [UnkeptValue(part, key, name, (), "sent", "held") for part, key, name in kept]
    refuse_values(shop.db, shop.flows["order"], values)
    found = shop.rows("select part, record_id, properties[1] from refusal order by all")
    assert found == sorted(kept)


def test_what_was_refused_is_withheld_and_nothing_else_of_the_record(shop: Book) -> None:
    shop.say("order", SHOP, "1", {"currency": "EUR", "email": "a@a.example"})
    shop.plan("order")
    main = Intended("order", "update", "1", "b1", {"currency": Sent("EUR", "EUR", None)})
    refused = Outcome(Result.REFUSED, reason="no")
    shop.alone()
    refuse(shop.db, shop.flows["order"], [(Intent("order", BC, "1", "b1", main), refused)])
    held = {row[3]: row[5] for row in shop.plan("order")}
    assert held == {"currency": HoldKind.REFUSED, "email": None}
