"""Traps of setting up, found by check-config instead of in production."""

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.orders.test_order_life import Placed
from talk_pipeline_tests.pipeline.records import customer, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World


def test_check_config_asks_both_systems_for_access_currency_price_mode_and_clock(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Placed(world)
    world.forget_requests()
    before = world.bc.all("customers"), world.bc.orders(), world.bc.all("items")
    assert check_configuration() == 0
    told = capsys.readouterr().out
    for text in (
        "local currency DKK, clock in step",
        "customers: 1 record read",
        "salesInvoices: may be read",
        "salesOrders: a write against a wrong version is turned away for that alone",
        "pricesIncludeTax: 0 of 1 record shown have prices with tax; it is mapped",
    ):
        assert text in told
    assert before == (world.bc.all("customers"), world.bc.orders(), world.bc.all("items")), "nothing changed"

    world.bc.control("clock", {"offset": 600})
    world.shop.post("products", product("EURO", currency="EUR"))
    monkeypatch.setenv("BUSINESSCENTRAL_CURRENCY", "EUR")
    assert check_configuration() == 2
    told = capsys.readouterr().out
    assert "clock off by +600 s" in told
    assert "BUSINESSCENTRAL_CURRENCY is EUR, but the company's local currency is DKK" in told
    assert "1 of 4 records shown is in EUR, not in DKK" in told


@variants("status", [403, 400])
@variants("right", ["read_orders", "write_orders"])
def test_check_config_names_a_missing_permission(
    world: World, capsys: pytest.CaptureFixture[str], right: str, status: int
) -> None:
    Placed(world)
    world.bc.control("settings", {"forbidden": right, "forbidden_status": status})
    assert check_configuration() == 2
    told = [row for row in capsys.readouterr().out.splitlines() if "FAIL" in row]
    assert any(row.strip().startswith("FAIL salesOrders: ") for row in told), told


def test_check_config_notes_prices_that_say_nothing_of_tax(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = world.data.parent
    row = "  - {shop: price_includes_tax,       dir: <->, bc: priceIncludesTax,      type: bool}\n"
    edited_flows(folder, monkeypatch, product=(row, ""))
    world.shop.post("customers", customer())
    check_configuration()
    assert (
        "product: unitPrice, unitCost are mapped, but not whether they include tax" in capsys.readouterr().out
    )
