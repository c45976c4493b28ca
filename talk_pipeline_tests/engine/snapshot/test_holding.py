"""Whether a record holds a value: the same in other words is the same, what a side rounded is what it took."""

import pytest

from talk_pipeline.engine.snapshot.holding import agree, holds, took
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline_tests.engine.book import COMPANY
from talk_pipeline_tests.flow_files import flows_in

CUSTOMER = flows_in()["customer"].root
PRODUCT = flows_in()["product"].root
LINE = flows_in()["order"].part("order.lines")


@pytest.mark.parametrize(
    ("name", "known", "held", "is_held"),
    [
        ("website", "www.a.example", "www.a.example", True),
        ("website", "www.a.example", " www.a.example ", True),
        ("website", "www.a.example", "www.b.example", False),
        ("website", None, "", True),
        ("active", "true", "true", True),
        ("active", "true", "false", False),
    ],
)
def test_a_shop_value_is_known_again(name: str, known: Value, held: Value, is_held: bool) -> None:
    prop = CUSTOMER.by_name[name]
    raw = {name: held}
    canon = prop.canonical(Side.SHOP, value=held, context=COMPANY.context(raw))
    assert holds(prop, known, Side.SHOP, raw=raw, canon=canon, company=COMPANY) is is_held


def test_the_words_of_the_other_side_are_understood() -> None:
    prop = CUSTOMER.by_name["active"]
    raw = {"active": "false"}
    canon = prop.canonical(Side.SHOP, value="false", context=COMPANY.context(raw))
    assert holds(prop, "All", Side.BC, raw=raw, canon=canon, company=COMPANY)
    assert not holds(prop, "", Side.BC, raw=raw, canon=canon, company=COMPANY)


def test_a_reference_is_the_id_itself() -> None:
    prop = LINE.by_name["product_id"]
    assert holds(prop, "i1", Side.BC, raw={"product_id": "i1"}, canon="p1", company=COMPANY)
    assert not took(prop, "i1", Side.BC, raw={"product_id": "i2"}, canon="p1", company=COMPANY)


def test_what_cannot_be_read_is_not_held() -> None:
    prop = CUSTOMER.by_name["currency"]
    assert not holds(prop, "no currency", Side.SHOP, raw={"currency": "EUR"}, canon="EUR", company=COMPANY)


def test_an_amount_may_differ_by_the_tolerance_and_a_word_may_be_kept() -> None:
    order = flows_in()["order"]
    total, state = order.root.by_name["total_tax"], order.root.by_name["status"]
    assert agree(order, total, shop="10.00", bc="10.05", shop_raw="10.00")
    assert not agree(order, total, shop="10.00", bc="10.06", shop_raw="10.00")
    assert not agree(order, total, shop="no number", bc="10.00", shop_raw="no number")
    assert agree(order, state, shop="cancelled", bc="open", shop_raw="cancelled"), "the shop keeps that word"
    assert not agree(order, state, shop="shipped", bc="open", shop_raw="shipped")
    assert not agree(order, state, shop=None, bc="open", shop_raw=None)
