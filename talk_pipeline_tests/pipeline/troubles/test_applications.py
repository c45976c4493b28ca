"""Several applications share the work; what they write is what one would have written, and once."""

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.sandbox.businesscentral.tokens import APPLICATIONS, registrations
from talk_pipeline.settings import SettingsError
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

CUSTOMERS, ORDERS = 40, 6


def register(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    for name, value in registrations(count).items():
        monkeypatch.setenv(name, value)


def fill(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(CUSTOMERS)]
    item = world.shop.post("products", product())["id"]
    for n in range(ORDERS):
        world.shop.post("orders", order(f"O{n}", buyers[n], [line(item), line(item, "5", "20.00")]))


def test_three_write_each_record_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where answers are lost and tokens end in between."""
    register(monkeypatch, 3)
    fill(world)
    world.bc.faults(
        rule("POST", "customers", drop="after", nth=7),
        rule("POST", "$batch", drop="after", nth=2),
        rule("POST", "salesOrders", status=503, nth=2),
        rule("GET", "customers", expired_token=True),
    )
    world.forget_requests()
    world.step()
    world.bc.no_faults()
    assert set(world.bc.requests()["callers"]) == {client for client, _ in APPLICATIONS[:3]}
    run = world.step(full=True)
    assert not run.failed()
    assert world.step(full=True).writes() == 0
    for collection, count in (("customers", CUSTOMERS), ("items", 1), ("salesOrders", ORDERS)):
        assert len(world.bc.all(collection)) == count
    assert sorted(row["externalDocumentNumber"] for row in world.bc.orders().values()) == [
        f"O{n}" for n in range(ORDERS)
    ]


def test_three_do_in_one_window_what_one_may_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And each is asked for no more than its own share: nothing is turned away."""
    rate = 40
    monkeypatch.setenv("BUSINESSCENTRAL_REQUESTS", str(rate))
    monkeypatch.setenv("BUSINESSCENTRAL_WINDOW_SECONDS", "600")
    world.bc.control("limits", {"rate": rate, "window": 600})
    register(monkeypatch, 3)
    fill(world)
    world.forget_requests()
    assert world.step("customer").success
    seen = world.bc.requests()
    assert len(world.bc.all("customers")) == CUSTOMERS
    assert seen["throttled"] == 0
    assert sum(seen["callers"].values()) > rate
    assert max(seen["callers"].values()) <= rate


def test_each_is_asked_what_it_may(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    register(monkeypatch, 2)
    fill(world)
    assert check_configuration() == 0
    told = capsys.readouterr().out
    assert "as the application of BUSINESSCENTRAL_CLIENT_ID:" in told
    assert "as the application of BUSINESSCENTRAL_CLIENT_ID_2:" in told
    assert told.count("salesOrders: ") >= 2
    monkeypatch.setenv("BUSINESSCENTRAL_CLIENT_ID_3", APPLICATIONS[0][0])
    monkeypatch.setenv("BUSINESSCENTRAL_CLIENT_SECRET_3", "whatever-it-is")
    with pytest.raises(SettingsError, match="BUSINESSCENTRAL_CLIENT_ID_3 name the same application"):
        check_configuration()
    monkeypatch.delenv("BUSINESSCENTRAL_CLIENT_ID_3")
    monkeypatch.delenv("BUSINESSCENTRAL_CLIENT_SECRET_3")
    monkeypatch.setenv("BUSINESSCENTRAL_CLIENT_SECRET_2", "one-that-is-no-longer-valid")
    assert check_configuration() == 2
    told = capsys.readouterr().out
    assert (
        "BUSINESSCENTRAL_CLIENT_SECRET_2"
        in told.split("as the application of BUSINESSCENTRAL_CLIENT_ID_2:")[1]
    )
    assert "Customwebshop: " in told, "the others were not asked"
