"""Subscriptions that are kept alive, what a delivery tells, and what is none of ours."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from talk_pipeline.systems.businesscentral import notifications
from talk_pipeline.systems.errors import ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Asked, Reply
from talk_pipeline_tests.systems.businesscentral.speech import (
    BASE,
    COMPANY_ID,
    Opens,
    Row,
    asked_for,
    error,
    page,
    using,
)

SECRET = "a long random text"
COMPANY = "companies(a434c527-5fd8-4e13-b196-d47a5fc5c2b5)"
SETS = {name: asked_for(name).set for name in flows_in()}
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
    assert notifications.understand(body.encode(), SETS, secret=SecretStr(SECRET)) == flows


def notice(**told: Any) -> bytes:
    said = {"clientState": SECRET, "resource": f"/api/v2.0/{COMPANY}/customers(1)"} | told
    return json.dumps({"value": [said]}).encode()


ODD: dict[str, bytes] = {
    "nothing": b"",
    "a list": b"[]",
    "no notice": b'{"value": [{}]}',
    "no text": b"\xff",
    "nested": b'{"value": ' + b"[" * 100_000,
    "null": b"null",
    "null within": b'{"value": null}',
    "nulls": b'{"value": [null]}',
    "a number": b'{"value": 7}',
    "an endless number": b'{"value": ' + b"7" * 10_000 + b"}",
    "texts": b'{"value": ["clientState"]}',
    "a state that is null": notice(clientState=None),
    "a state that is a number": notice(clientState=5),
    "a state that is nested": notice(clientState={"a": [SECRET]}),
    "a state in other letters": notice(clientState="geheimniß \u00fc"),
    "half a letter": notice(clientState="\ud800"),
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_what_is_no_notice_is_turned_away(body: bytes) -> None:
    assert notifications.understand(body, SETS, secret=SecretStr(SECRET)) is None


URL = "https://here.example/businesscentral"
SUBSCRIPTIONS = f"{BASE}/subscriptions"


def held(entity: str, *, ends: timedelta | None, url: str = URL, key: str = "") -> Row:
    """A subscription as Business Central lists it: with a short resource."""
    row = {
        "@odata.etag": f'W/"{entity}"',
        "subscriptionId": f"id-{entity}",
        "notificationUrl": url,
        "resource": f"companies({COMPANY_ID})/{entity}{key}",
    }
    return row if ends is None else row | {"expirationDateTime": (datetime.now(UTC) + ends).isoformat()}


def subscribed(server: Answering, opens: Opens, *rows: Row, answer: Reply | None = None) -> Sequence[Asked]:
    """The calls that keep what is held alive."""
    server.answer(lambda asked: page(*rows) if asked.method == "GET" else answer or Reply(200, {}))
    before = len(server.asked)
    calls = using(opens(), lambda opened: opened.subscribe(URL, SecretStr(SECRET)))
    made = [asked for asked in server.asked[before:] if asked.method != "GET"]
    assert calls == len(made)
    return made


def test_what_is_missing_is_subscribed(server: Answering, opens: Opens) -> None:
    made = subscribed(server, opens)
    assert [(one.method, one.path) for one in made] == [("POST", SUBSCRIPTIONS)] * 3
    assert made[0].json() == {
        "notificationUrl": URL,
        "resource": f"/api/v2.0/companies({COMPANY_ID})/customers",
        "clientState": SECRET,
    }


FRESH, SOON = timedelta(days=2), timedelta(hours=20)


def test_what_ends_soon_is_renewed_and_the_rest_left_alone(server: Answering, opens: Opens) -> None:
    (made,) = subscribed(
        server,
        opens,
        held("customers", ends=FRESH),
        held("items", ends=SOON),
        held("salesOrders", ends=FRESH),
    )
    assert (made.method, made.path) == ("PATCH", f"{SUBSCRIPTIONS}('id-items')")
    assert made.headers["if-match"] == 'W/"items"'


@pytest.mark.parametrize("ends", [None, -FRESH], ids=["without an end", "ended"])
def test_what_has_no_end_to_rely_on_is_renewed(
    server: Answering, opens: Opens, ends: timedelta | None
) -> None:
    rows = [held(name, ends=ends) for name in ("customers", "items", "salesOrders")]
    assert [one.method for one in subscribed(server, opens, *rows)] == ["PATCH"] * 3


def test_a_list_that_goes_on_is_read_to_its_end(server: Answering, opens: Opens) -> None:
    """What stands on a later page was subscribed again by each look, until there were too many."""
    more = {"@odata.nextLink": f"{server.url}{SUBSCRIPTIONS}?$skiptoken=2"}
    first, second = (held(name, ends=FRESH) for name in ("customers", "items"))

    def listed(asked: Asked) -> Reply:
        if asked.method != "GET":
            return Reply(200, {})
        return page(second) if "$skiptoken" in asked.query else page(first, **more)

    server.answer(listed)
    assert using(opens(), lambda opened: opened.subscribe(URL, SecretStr(SECRET))) == 1
    assert [one.json()["resource"].rsplit("/")[-1] for one in server.asked if one.body] == ["salesOrders"]


def test_a_list_that_breaks_off_subscribes_nothing(server: Answering, opens: Opens) -> None:
    more = {"@odata.nextLink": f"{server.url}{SUBSCRIPTIONS}?$skiptoken=2"}
    server.answer(lambda asked: Reply(404) if "$skiptoken" in asked.query else page(**more))
    with pytest.raises(UnavailableFault, match="lists no subscriptions"):
        using(opens(), lambda opened: opened.subscribe(URL, SecretStr(SECRET)))
    assert [one.method for one in server.asked] == ["GET", "GET"]


def test_subscriptions_of_others_are_none_of_ours(server: Answering, opens: Opens) -> None:
    rows = [
        held("customers", ends=FRESH, url="https://elsewhere.example/hook"),
        {**held("items", ends=FRESH), "resource": "companies(another)/items"},
        held("salesOrders", ends=FRESH, key="?$filter=x"),
    ]
    made = subscribed(server, opens, *rows)
    assert [one.json()["resource"].rsplit("/")[-1] for one in made] == ["customers", "items"]


REFUSED: list[tuple[Any, type[SystemFault], str]] = [
    (error(400, "BadRequest", "no handshake"), ConfigurationFault, r"customers \(400\): .*no handshake"),
    (Reply(503), ConfigurationFault, "503"),
    (DROPPED, UnavailableFault, "did not answer a subscription"),
]


@pytest.mark.parametrize(("reply", "fault", "says"), REFUSED, ids=["400", "503", "no answer"])
def test_a_subscription_that_is_refused_is_told(
    server: Answering, opens: Opens, reply: Reply, fault: type[SystemFault], says: str
) -> None:
    with pytest.raises(fault, match=says):
        subscribed(server, opens, answer=reply)


LISTS = {
    "no JSON": "<html></html>",
    "nested": "[" * 100_000,
    "null": "null",
    "no list": {"value": 5},
    "no subscriptions": {"value": [None]},
}


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_an_odd_list_of_subscriptions_is_told(server: Answering, opens: Opens, listed: Any) -> None:
    server.on(SUBSCRIPTIONS, Reply(200, listed))
    with pytest.raises(UnavailableFault, match="Business Central lists no subscriptions at /subscriptions"):
        using(opens(), lambda opened: opened.subscribe(URL, SecretStr(SECRET)))
    assert [one.method for one in server.asked] == ["GET"]


@pytest.mark.parametrize("end", ["soon", "24:00", "9999-12-31T23:59:59-12:00", 5])
def test_an_odd_end_is_renewed(server: Answering, opens: Opens, end: Any) -> None:
    rows = [
        held(name, ends=None) | {"expirationDateTime": end} for name in ("customers", "items", "salesOrders")
    ]
    assert [one.method for one in subscribed(server, opens, *rows)] == ["PATCH"] * 3


def test_where_none_are_listed_none_is_made(server: Answering, opens: Opens) -> None:
    server.on(SUBSCRIPTIONS, error(404, "BadRequest_NotFound"))
    with pytest.raises(UnavailableFault, match="lists no subscriptions at /subscriptions: .*404"):
        using(opens(), lambda opened: opened.subscribe(URL, SecretStr(SECRET)))
    assert [one.method for one in server.asked] == ["GET"]
