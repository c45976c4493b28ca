"""Money: amounts in another currency, digits that must not move, totals that differ by a cent."""

from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.orders.test_order_life import Placed
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World


def test_an_amount_never_enters_a_record_of_another_currency(world: World) -> None:
    """The shop turned to euros, Business Central goes on in kroner: neither price may replace the other."""
    key = world.shop.post("products", product(cost=None))["id"]
    world.step("product")
    item = world.counterpart("product", key)
    world.shop.patch("products", key, {"currency": "EUR"})
    world.let_time_pass()
    world.bc.patch("items", item, {"unitPrice": 75, "displayName": "Named there"})
    assert not world.step("product").failed()
    held = world.shop.get("products", key)
    assert (held["price"], held["name"]) == ("100.00", "Named there")
    assert world.bc.get("items", item)["unitPrice"] == 75
    state, reason = world.state("product", key) or ("", "")
    assert state == "quarantined"
    assert "is in EUR, but Business Central keeps it in DKK" in reason

    world.shop.patch("products", key, {"currency": "DKK"})
    assert not world.step("product").failed()
    assert world.state("product", key) is None


def test_a_missing_price_is_not_filled_in_from_another_currency(world: World) -> None:
    world.bc.post("items", {"number": "P1", "displayName": "There", "unitPrice": 75})
    key = world.shop.post("products", product(price=None, cost=None, currency="EUR"))["id"]
    assert not world.step("product").failed()
    assert world.shop.get("products", key)["price"] is None
    assert (world.state("product", key) or ("", ""))[0] == "quarantined"


def test_prices_keep_every_digit_there_and_back(world: World) -> None:
    key = world.shop.post("products", product(price="38.05", cost="5.10"))["id"]
    world.step("product")
    item = world.counterpart("product", key)
    held = world.bc.get("items", item)
    assert (held["unitPrice"], held["unitCost"]) == (Decimal("38.05"), Decimal("5.1"))
    for price in ("5.10", "12345678901234.57"):  # more than 15 digits do not fit a float
        body = f'{{"unitPrice": {price}}}'.encode()
        headers = {"If-Match": "*", "Content-Type": "application/json"}
        world.bc.read(world.bc.http.patch(f"/items({item})", content=body, headers=headers))
        assert not world.step("product").failed()
        assert world.shop.get("products", key)["price"] == price
    world.shop.patch("products", key, {"price": "98765432109876.54"})
    world.step("product")
    assert world.bc.get("items", item)["unitPrice"] == Decimal("98765432109876.54")
    assert world.step("product", full=True).writes() == 0


def test_an_edit_by_less_than_half_a_cent_travels_where_the_shop_keeps_more_decimals(world: World) -> None:
    """A price for a thousand: what is no cent of one is some of all."""
    key = world.shop.post("products", product(price="1.2345"))["id"]
    if world.shop.get("products", key)["price"] != "1.2345":
        pytest.skip("this shop keeps cents")
    world.step("product")
    item = world.counterpart("product", key)
    assert world.bc.get("items", item)["unitPrice"] == Decimal("1.2345")
    world.shop.patch("products", key, {"price": "1.2300"})
    assert unexplained("product") == []
    assert not world.step("product").failed()
    assert world.bc.get("items", item)["unitPrice"] == Decimal("1.23")
    assert unexplained("product") == []
    assert world.step("product", full=True).writes() == 0


def test_totals_are_compared_within_a_stated_tolerance_and_never_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = Placed(world)
    run = world.step("order", full=True)
    within = run.finding("order", "property_total_incl_tax")
    assert (within.verdict, within.summary) == ("passed", "1 pair agrees within 0.05")
    # an account line adds to the total there, and is no line of the shop's
    path = f"salesOrders({placed.bc_id})/salesOrderLines"
    account = next(iter(world.bc.all("accounts").values()))["id"]
    for price, verdict in ((0.02, "passed"), (10, "warned")):
        world.bc.post(path, {"lineType": "Account", "accountId": account, "quantity": 1, "unitPrice": price})
        run = world.step("order", full=True)
        assert run.writes() == 0
        finding = run.finding("order", "property_total_incl_tax")
        assert finding.verdict == verdict, finding
    assert finding.summary == "1 of 1 pair disagree by more than 0.05"
    (row,) = finding.rows
    assert (row["shop_id"], Decimal(row["shop_value"]) < Decimal(row["bc_value"])) == (placed.id, True)


def test_a_cent_of_rounding_lists_no_order(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    lines = [line(item, "3", "0.33", discount_percent="33.33"), line(item, "7", "1.11")]
    world.shop.post("orders", order("O1", buyer, lines))
    run = world.step()
    assert not run.failed()
    for name in ("total_excl_tax", "total_tax", "total_incl_tax", "lines_line_total"):
        assert run.finding("order", f"property_{name}").passed


COINS = {"ISK": ("0:0", "1", "1001"), "KWD": ("3:3", "0.001", "1.115")}
"""Of a currency: its decimals and smallest unit as Business Central has them, and a price."""


@pytest.mark.parametrize("code", COINS)
def test_an_order_is_rounded_to_the_smallest_unit_of_its_currency(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """By the shop, by Business Central, and by what is reckoned before it is there: to the last unit."""
    if world.profile != "reference":
        pytest.skip("this shop works its totals out in cents")
    settings = (
        "tolerance: 0.05 # how far totals may differ before the checklist warns\n  hold_if_totals_differ: "
    )
    exact = settings.replace("0.05", "0")
    edited_flows(tmp_path, monkeypatch, order=(f"{settings}false", f"{exact}true"))
    decimals, step, price = COINS[code]
    told = {"amountDecimalPlaces": decimals, "amountRoundingPrecision": float(step)}
    known = {row["code"]: row for row in world.bc.all("currencies").values()}
    if code not in known:
        world.bc.post("currencies", {"code": code, "displayName": code, **told})
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    lines = [line(item, "3", price, discount_percent="33.33"), line(item, "7", price)]
    key = world.shop.post("orders", order("O1", buyer, lines, currency=code, discount_amount="1.00"))["id"]
    run = world.step()
    assert not run.failed()
    assert world.state("order", key) is None
    shop, bc = world.shop.get("orders", key), world.bc.get("salesOrders", world.counterpart("order", key))
    for name, there in (
        ("total_excl_tax", "totalAmountExcludingTax"),
        ("total_tax", "totalTaxAmount"),
        ("total_incl_tax", "totalAmountIncludingTax"),
    ):
        assert Decimal(shop[name]) == bc[there], name
        assert bc[there] % Decimal(step) == 0, name
        assert run.finding("order", f"property_{name}").passed
    assert unexplained("order") == []
