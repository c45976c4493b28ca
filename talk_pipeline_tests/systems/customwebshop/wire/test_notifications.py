"""Webhooks of a shop: registered once, and looked for where the description says."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.notifications import subscribe
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http import Answer, Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Reply, answering

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
