"""Change notices: subscribed, validated, renewed, understood, and never more than a hint."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr

from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.properties import Side
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline.systems.businesscentral import notifications
from talk_pipeline.systems.customwebshop.wire import notifications as webhooks_of_shop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http import Answer, Http
from talk_pipeline.webhooks.receiver import receiver, subscribe
from talk_pipeline.webhooks.wakeups import woken_after
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

SECRET = "a long random text"


def until(condition: Callable[[], bool], *, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def url(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A receiver that runs, as the two systems reach it."""
    monkeypatch.setenv("TALK_WEBHOOK_SECRET", SECRET)
    world.bc.control("settings", {"webhook_delay": 0.1})
    connections = Connections(Settings.load())
    config = uvicorn.Config("", port=0, log_level="error")
    sock = config.bind_socket()
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    config.app = receiver(connections, url=address)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    assert until(lambda: len(subscriptions(world)) == 3), "it subscribes as soon as it answers"
    assert connections.description.webhooks is None or until(lambda: registered(world))
    yield address
    server.should_exit = True
    thread.join()
    sock.close()


def registered(world: World) -> bool:
    """Whether the shop was asked for its notices."""
    return any(call.startswith("POST") and "hooks" in call for call in world.shop.requests()["by_path"])


def subscriptions(world: World) -> list[dict[str, str]]:
    root = world.environment["BUSINESSCENTRAL_URL"]
    rows: list[dict[str, str]] = world.bc.read(world.bc.http.get(f"{root}/subscriptions"))["value"]
    return rows


def test_a_change_wakes_the_sensor_of_its_system(world: World, url: str) -> None:
    told = Connections(Settings.load()).description.webhooks
    for side in Side if told else [Side.BC]:
        started = time.time()
        assert not woken_after(world.data, side, timestamp=started)
        if side is Side.SHOP:
            world.shop.post("customers", customer())
        else:
            world.bc.post("customers", {"displayName": "New"})
        assert until(partial(woken_after, world.data, side, timestamp=started))
    assert url


def test_subscriptions_are_renewed_before_they_end(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(Settings.load())
    assert asyncio.run(subscribe(connections, url=url, secret=SecretStr(SECRET))) == 0
    before = {row["subscriptionId"]: row["expirationDateTime"] for row in subscriptions(world)}
    monkeypatch.setattr(notifications, "RENEW_BEFORE", notifications.LIFETIME)
    assert asyncio.run(subscribe(connections, url=url, secret=SecretStr(SECRET))) == 3
    after = {row["subscriptionId"]: row["expirationDateTime"] for row in subscriptions(world)}
    assert set(after) == set(before)
    assert all(after[key] > before[key] for key in before)


def test_an_address_that_does_not_answer_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_WEBHOOK_SECRET", SECRET)
    connections = Connections(Settings.load())
    with pytest.raises(ConfigurationFault, match="refuses a subscription"):
        asyncio.run(subscribe(connections, url="http://127.0.0.1:9", secret=SecretStr(SECRET)))
    assert not subscriptions(world)


WRONG_PLACES = [
    ({"records": "webhooks"}, "webhooks.records: .* shows no list at 'webhooks'"),
    ({"records": None}, "webhooks.records: .* shows no list, but"),
    ({"url": "address"}, "webhooks.url: no webhook has its address at 'address'"),
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

    told = load_description(None, flows=load_flows()).webhooks
    assert told is not None
    here = "https://here.example/customwebshop"
    ask = partial(webhooks_of_shop.subscribe, Shop(), url=here, secret=SecretStr(SECRET))
    assert asyncio.run(ask(webhooks=told)) == 0
    with pytest.raises(ConfigurationFault, match=message):
        asyncio.run(ask(webhooks=told.model_copy(update=wrong)))
    assert not posted


def test_a_forged_notice_wakes_nobody(world: World, url: str) -> None:
    notice = {
        "clientState": "guessed",
        "resource": "/api/v2.0/companies(x)/customers",
        "changeType": "updated",
    }
    for side in Side:
        answer = world.bc.http.post(f"{url}/{side}", json={"value": [notice]})
        assert answer.status_code == 401
        assert not woken_after(world.data, side, timestamp=0)
    assert world.bc.http.get(f"{url}/elsewhere").status_code == 404


COMPANY = "companies(a434c527-5fd8-4e13-b196-d47a5fc5c2b5)"
NOTICES = [
    ([f"/api/v2.0/{COMPANY}/customers(11111111-1111-1111-1111-111111111111)"], {"customer"}),
    ([f"api/v2.0/{COMPANY}/items(11111111-1111-1111-1111-111111111111)"], {"product"}),
    ([f"/api/v2.0/{COMPANY}/salesOrders?$filter=lastModifiedDateTime gt 2026-01-01T00:00:00Z"], {"order"}),
    ([f"/api/v2.0/{COMPANY}/customers(1)", f"/api/v2.0/{COMPANY}/salesOrders(2)"], {"customer", "order"}),
    ([f"/api/v2.0/{COMPANY}/paymentTerms(1)"], set()),
]


@pytest.mark.parametrize(("resources", "flows"), NOTICES)
def test_single_notices_and_collections_are_understood(resources: list[str], flows: set[str]) -> None:
    body = json.dumps({"value": [{"clientState": SECRET, "resource": resource} for resource in resources]})
    assert notifications.understand(body.encode(), load_flows(), secret=SecretStr(SECRET)) == flows


@pytest.mark.parametrize("body", [b"", b"[]", b'{"value": [{}]}', b"\xff"])
def test_what_is_no_notice_is_turned_away(body: bytes) -> None:
    assert notifications.understand(body, load_flows(), secret=SecretStr(SECRET)) is None
