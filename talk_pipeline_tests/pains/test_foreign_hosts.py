"""Credentials go to the two systems and to nobody else, wherever an answer points."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.wire.lists import on_this_server
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.sandbox.receiver import Receiver
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.world import World


@pytest.fixture
def stranger() -> Iterator[Receiver]:
    """A server that is neither of the two, and remembers whoever calls."""
    receiver = Receiver()
    yield receiver
    receiver.close()


def _pages_lead_to(world: World, link: str, **more: object) -> None:
    body = {"value": [], "@odata.nextLink": link, **more}
    fault = {"body": body, "content_type": "application/json"}
    world.bc.faults({"match": {"method": "GET", "path": "*/customers"}, "fault": fault})


def _host(url: str) -> str:
    return urlsplit(url).netloc


FOREIGN = {
    "whole": "{stranger}/customers?$skiptoken=1",
    "without a scheme": "//{host}/customers",
    "with a name before it": "http://{own}@{host}/customers",
    "upper case": "HTTP://{host}/customers",
    "backslashes": "\\\\{host}/customers",
    "our host on another port": "http://127.0.0.1:{port}/v2.0/customers",
}


@pytest.mark.parametrize("link", FOREIGN.values(), ids=FOREIGN)
def test_a_next_page_on_another_host_is_an_error_and_sends_nothing_there(
    world: World, stranger: Receiver, link: str
) -> None:
    host = _host(stranger.url)
    own = _host(world.environment["BUSINESSCENTRAL_URL"])
    _pages_lead_to(
        world, link.format(stranger=stranger.url, host=host, own=own, port=stranger.server.server_port)
    )
    told = world.pass_over("customer")
    assert told
    assert not stranger.deliveries
    if "\\" not in link:  # which is a path on our own host
        assert host in told[0]
        assert "BUSINESSCENTRAL_URL" in told[0]


def test_a_foreign_page_in_a_real_run(world: World, stranger: Receiver) -> None:
    _pages_lead_to(world, stranger.url)
    run = world.step("customer")
    assert not run.success
    assert _host(stranger.url) in run.problems[0]
    assert not stranger.deliveries


RELATIVE = {
    "to the request": ("customers?$skiptoken=marked", {}),
    "to the root": ("{path}?$skiptoken=marked", {}),
    "to the context": (
        "{company}/customers?$skiptoken=marked",
        {"@odata.context": "{base}/$metadata#{company}/customers"},
    ),
    "only a query": ("?$skiptoken=marked", {}),
}


@pytest.mark.parametrize(("link", "more"), RELATIVE.values(), ids=RELATIVE)
def test_a_relative_next_page_is_found(world: World, link: str, more: Row) -> None:
    base = world.environment["BUSINESSCENTRAL_URL"]
    company = f"companies({world.environment['BUSINESSCENTRAL_COMPANY_ID']})"
    path = f"{urlsplit(base).path}/{company}/customers"

    def filled(text: str) -> str:
        return text.replace("{path}", path).replace("{company}", company).replace("{base}", base)

    _pages_lead_to(world, filled(link), **{name: filled(value) for name, value in more.items()})
    last = {"status": 200, "body": {"value": []}, "content_type": "application/json"}
    world.bc.faults({"match": {"method": "GET", "path": path}, "fault": last})
    assert world.pass_over("customer", full=True) == []
    assert all(rule["fired"] == 1 for rule in world.bc.rules())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_when_reading(world: World, stranger: Receiver, status: int) -> None:
    fault = {"status": status, "headers": {"Location": stranger.url}}
    world.bc.faults({"match": {"method": "GET", "path": "*/customers"}, "fault": fault})
    told = world.pass_over("customer")
    assert _host(stranger.url) in told[0]
    assert f"answers {status}" in told[0]
    world.bc.no_faults()
    world.shop.faults({"match": {"method": "GET"}, "fault": fault, "times": None})
    told = world.pass_over("customer")
    assert _host(stranger.url) in told[0]
    assert "CUSTOMWEBSHOP_URL" in told[0]
    assert not stranger.deliveries


def test_a_write_that_is_redirected_is_sent_nowhere_else(world: World, stranger: Receiver) -> None:
    world.shop.post("customers", customer())
    fault = {"status": 307, "headers": {"Location": stranger.url}}
    world.bc.faults({"match": {"method": "POST", "path": "*/customers"}, "fault": fault})
    world.pass_over("customer")
    assert not stranger.deliveries
    first = world.sql("select outcome from journal order by intent_at limit 1")
    assert first != [("done",)]
    world.pass_over("customer")
    assert len(world.bc.all("customers")) == 1


def test_the_next_page_of_a_shop_is_asked_of_the_shop(world: World, stranger: Receiver) -> None:
    shop = Connections(Settings.load()).shop()
    following = on_this_server(shop.address, "/customers", stranger.url)
    assert _host(following) == _host(world.environment["CUSTOMWEBSHOP_URL"])
