"""Writes in several calls, some of which are accepted for later."""

import json
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, connect, opened
from talk_pipeline_tests.systems.customwebshop.shops.plain_shop import told
from talk_pipeline_tests.systems.customwebshop.shops.test_later_answers import AT_ONCE, BORN, Batched, Batches
from talk_pipeline_tests.systems.customwebshop.shops.test_later_answers import batched as batched  # noqa: PLC0414


class InSteps(Batches):
    """A new product is made at once, published or not, and its price accepted for later.

    Attributes:
        at_once: the price is carried out before anybody looks.
    """

    def __init__(self, *, at_once: bool) -> None:
        super().__init__()
        self.at_once = at_once
        self._prices: dict[str, str] = {}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        path = urlsplit(target).path
        if path.endswith("/publish"):
            self.writes.append("POST publish")
            return told(422, {"message": "no picture yet"})
        if method == "POST":
            return super().answer(method, target, headers, json.dumps(json.loads(body) | HIDDEN).encode())
        if method != "PATCH":
            return super().answer(method, target, headers, body)
        self.writes.append("PATCH products")
        self._prices[path.rpartition("/")[2]] = json.loads(body, parse_float=str)["price"]
        if self.at_once:
            self.carry_out()
        return told(202, {})

    def carry_out(self) -> None:
        for key, price in self._prices.items():
            self.edit("products", key, price=price)
        self._prices.clear()


HIDDEN = {"live": False, "price": "777.00"}
PUBLISHED = (
    (AT_ONCE, '    create: [{}, PUBLISH{of: [price], method: PATCH, path: "{item}"}]\n'),
    ("active: {const: true}", "active: {path: live, type: bool}"),
    ("auth: {type: none}", "auth: {type: none}\nlimits: {longest_seconds: 90}"),
)


def publishing(
    batched: Batched, monkeypatch: pytest.MonkeyPatch, shop: InSteps, address: str, call: str
) -> None:
    """The shop instead, whose new products are published by a call of their own, if any, and one that is there."""
    batched.shop = shop
    batched.described(*PUBLISHED, ("PUBLISH", call))
    connect(monkeypatch, url=address)
    shop.add("products", sku="P1", title="Thing", price="5.00", live=True)
    batched.run()
    batched.world.bc.post("items", BORN)


def test_what_was_refused_is_told_though_the_rest_was_accepted_and_done(
    batched: Batched, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = InSteps(at_once=True)
    with opened(shop) as address:
        call = '{when: {active: true}, path: "{item}/publish", empty: true}, '
        publishing(batched, monkeypatch, shop, address, call)
        batched.run()
        ((why,),) = batched.world.sql(
            "select reason from journal where operation = 'create' and target = 'customwebshop'"
        )
        assert why == 'active: 422: {"message": "no picture yet"}'
        assert Decimal(shop.tables["products"]["102"]["price"]) == 2


def test_a_record_that_is_there_is_not_done_while_some_of_it_is_accepted(
    batched: Batched, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = InSteps(at_once=False)
    with opened(shop) as address:
        publishing(batched, monkeypatch, shop, address, "")
        for _ in range(2):
            (row,) = batched.run().finding("product", "writes_answered").rows
            assert (row["operation"], row["reason"]) == ("create", "accepted (202), and not shown yet")
        shop.carry_out()
        batched.world.sql("update journal set open_until = open_until - interval 1 hour")
        batched.run()
        assert Decimal(shop.tables["products"]["102"]["price"]) == 2
        assert (shop.writes.count("POST products"), shop.writes.count("PATCH products")) == (1, 1)
