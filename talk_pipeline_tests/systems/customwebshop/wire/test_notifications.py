"""Webhooks of a shop: registered once, and looked for where the description says."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from talk_pipeline.flows.sides import Side
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.notifications import subscribe
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http import Answer, Http, Limits
from talk_pipeline.webhooks.registered import Registered
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Asked, Reply, answering

SECRET = "a long random text"

CONNECTOR = """
name: Telling
auth: {type: none}
webhooks:
  path: /webhooks
  records: data
  body: {url: "{url}", for: "{events}"}
  event: event
  events: {customer.updated: customers, product.updated: products}
  signature: {header: X-Signature}
entities:
  customers: {path: /customers}
  products: {path: /products}
  orders: {path: /orders}
"""
EACH = CONNECTOR.replace(
    'body: {url: "{url}", for: "{events}"}', 'body: {url: "{url}", for: "{event}"}'
).replace("  event: event\n", "  event: event\n  one_each: true\n")
HERE = "https://here.example/customwebshop"
WRONG_PLACES = [
    ({"records": "webhooks"}, "webhooks.records: .* shows no list at 'webhooks'"),
    ({"records": None}, "webhooks.records: .* shows no list, but"),
    ({"url": "address"}, "webhooks.url: no webhook has its address at 'address'"),
]


SHOWN: dict[str, tuple[object, int]] = {
    "all of them and more": (["product.updated", "order.updated", "customer.updated"], 0),
    "not the one that is new": (["customer.updated"], 1),
    "in other words": (["CUSTOMER"], 0),
    "as objects": ([{"name": "customer.updated"}], 0),
    "not at all": (None, 0),
}


@pytest.mark.parametrize(("shown", "calls"), SHOWN.values(), ids=SHOWN)
def test_an_event_that_is_new_is_registered_and_nothing_twice(
    tmp_path: Path, shown: object, calls: int
) -> None:
    here = "https://here.example/customwebshop"
    (tmp_path / "shop.yaml").write_text(CONNECTOR, encoding="utf-8")
    told = load_description(tmp_path / "shop.yaml", flows=flows_in()).webhooks
    assert told is not None
    with answering() as server:
        registered = [{"url": here, "for": shown, "id": 1}]
        server.on("/webhooks", Reply(200, {"data": registered}))

        async def subscribed() -> list[int]:
            limits = Limits(1000, 1, 4, tmp_path / "limits")
            async with Http("It", server.url, limits=limits, longest_seconds=0) as http:
                ask = partial(subscribe, http, told, url=here, secret=SecretStr(SECRET))
                first = await ask()
                for one in (one for one in server.asked if one.method == "POST"):
                    registered.append({"id": 2, **one.json()})
                server.on("/webhooks", Reply(200, {"data": registered}))
                return [first, await ask()]

        assert asyncio.run(subscribed()) == [calls, 0]
        posted = [one.json() for one in server.asked if one.method == "POST"]
    assert posted == [{"url": here, "for": ["customer.updated", "product.updated"]}] * calls


EVENTS = ("customer.updated", "product.updated", "order.updated", "order.created")


def test_what_a_shop_takes_once_only_keeps_nothing_from_being_told(tmp_path: Path) -> None:
    """Of a secret that was changed: what is missing is registered, and every other is asked for."""
    further = "product.updated: products, order.updated: orders, order.created: orders}"
    text = EACH.replace("product.updated: products}", further)
    (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")
    told = load_description(tmp_path / "shop.yaml", flows=flows_in()).webhooks
    assert told is not None
    there = list(EVENTS[:3])

    def answered(asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(200, {"data": [{"url": HERE, "for": one} for one in there]})
        wanted = asked.json()["for"]
        if wanted in there and wanted != "product.updated":
            return Reply(409, {"message": "taken"})
        there.append(wanted)
        return Reply(201, {})

    with answering() as server:
        server.answer(answered)

        async def subscribed(secret: str) -> int:
            known = Registered(tmp_path, Side.SHOP, url=HERE, secret=SecretStr(secret))
            limits = Limits(1000, 1, 4, tmp_path / "limits")
            async with Http("It", server.url, limits=limits, longest_seconds=0) as http:
                return await subscribe(http, told, url=HERE, secret=SecretStr(secret), before=known)

        there.append("order.created")
        assert asyncio.run(subscribed(SECRET)) == 0
        there.remove("order.created")
        with pytest.raises(ConfigurationFault, match="remove that registration in the shop") as fault:
            asyncio.run(subscribed("another"))
        posted = [one.json()["for"] for one in server.asked if one.method == "POST"]
        assert posted == ["order.created", "customer.updated", "product.updated", "order.updated"]
        assert [one for one in EVENTS if f"{HERE} {one} (409)" in str(fault.value)] == [EVENTS[0], EVENTS[2]]

        there.remove("customer.updated")  # as the message says
        there.remove("order.updated")
        assert asyncio.run(subscribed("another")) == 2
        assert asyncio.run(subscribed("another")) == 0


def test_one_that_a_shop_does_not_take_keeps_the_others_from_nothing(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(EACH, encoding="utf-8")
    told = load_description(tmp_path / "shop.yaml", flows=flows_in()).webhooks
    assert told is not None
    with answering() as server:
        server.answer(
            lambda asked: (
                Reply(200, {"data": []})
                if asked.method == "GET"
                else Reply(422 if asked.json()["for"] == "customer.updated" else 201, {})
            )
        )

        async def subscribed() -> int:
            limits = Limits(1000, 1, 4, tmp_path / "limits")
            async with Http("It", server.url, limits=limits, longest_seconds=0) as http:
                return await subscribe(http, told, url=HERE, secret=SecretStr(SECRET))

        with pytest.raises(ConfigurationFault, match="customer.updated .422.") as fault:
            asyncio.run(subscribed())
        assert "earlier secret" not in str(fault.value)
        assert [one.json()["for"] for one in server.asked if one.method == "POST"] == [
            "customer.updated",
            "product.updated",
        ]


@pytest.mark.parametrize(("wrong", "message"), WRONG_PLACES)
def test_who_looks_for_webhooks_in_the_wrong_place_registers_none(
    wrong: dict[str, str | None], message: str
) -> None:
    """Or it would be registered once more each time the registration is renewed."""
    posted: list[bytes] = []

    class Shop(Http):
        def __init__(self) -> None:
            """Answers itself."""

        async def read(self, path: str, *_: Any, **__: Any) -> Answer:
            assert path == "/webhooks"
            return Answer(200, {}, b'{"data": [{"url": "https://here.example/customwebshop", "id": 1}]}')

        async def write(self, *_: Any, content: bytes, **__: Any) -> Answer:
            posted.append(content)
            return Answer(201, {}, b"{}")

    told = load_description(None, flows=flows_in()).webhooks
    assert told is not None
    here = "https://here.example/customwebshop"
    ask = partial(subscribe, Shop(), url=here, secret=SecretStr(SECRET))
    assert asyncio.run(ask(webhooks=told)) == 0
    with pytest.raises(ConfigurationFault, match=message):
        asyncio.run(ask(webhooks=told.model_copy(update=wrong)))
    assert not posted


@pytest.mark.parametrize(
    "left", ["", '{"salt": "00', "[]", '{"salt": "zz", "registered": {}}', '{"registered": 5}']
)
def test_what_cannot_be_read_of_registrations_counts_as_nothing(tmp_path: Path, left: str) -> None:
    file = tmp_path / "registered" / f"{Side.SHOP}.json"
    file.parent.mkdir()
    file.write_text(left)

    def known(secret: str) -> Registered:
        return Registered(tmp_path, Side.SHOP, url=HERE, secret=SecretStr(secret))

    assert not known(SECRET).is_of_another("order.created")
    known(SECRET).keep("order.created")
    assert known("another").is_of_another("order.created")
