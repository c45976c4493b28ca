"""Charges of further kinds: those of WooCommerce with its coupons, a resource, a gift card, fees posted by kind."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from talk_pipeline.systems.http.way import trusted
from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.pipeline.charges import (
    ADDED,
    FEE,
    FEES,
    FREIGHT,
    GIFTS,
    NAMED,
    REDEEMED,
    Charged,
    telling_gift_cards,
)
from talk_pipeline_tests.world import World, opened_world

Row = dict[str, Any]


def _edit(tmp_path: Path, *edits: tuple[str, str]) -> None:
    """The copied order flow with texts replaced, wherever they stand."""
    file = tmp_path / "flows" / "order.yaml"
    file.write_text(replaced(file.read_text(encoding="utf-8"), *edits), encoding="utf-8")


class Woo(Charged):
    """An order that comes and is edited as WooCommerce itself tells it."""

    def place(self, number: str, **values: Any) -> str:
        lines = [{"product_id": int(self.lamp), "quantity": 3, "subtotal": "99.99", "total": "90.00"}]
        body = {
            "status": "processing",
            "customer_id": int(self.buyer),
            "currency": "DKK",
            "line_items": lines,
        }
        return str(self.call("POST", "orders", body | values)["id"])

    def call(self, method: str, path: str, body: Row | None = None) -> Row:
        environment = self.world.environment
        answer = httpx.request(
            method,
            f"{environment['CUSTOMWEBSHOP_URL']}/wp-json/wc/v3/{path}",
            auth=(environment["CUSTOMWEBSHOP_KEY"], environment["CUSTOMWEBSHOP_SECRET"]),
            json=body,
            verify=trusted(),
        )
        told: Row = self.world.shop.read(answer)
        return told

    @property
    def told(self) -> Row:
        return self.call("GET", f"orders/{self.id}")


@pytest.fixture
def woo(tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A WooCommerce shop, and a company that says where shipping and fees go."""
    with opened_world(tmp_path, instance=instance, profile="woocommerce", patch=monkeypatch) as opened:
        edited_flows(tmp_path, monkeypatch, order=NAMED)
        yield opened


def test_a_woocommerce_order_with_a_coupon_comes_to_equal_totals(woo: World) -> None:
    placed = Woo(
        woo,
        shipping_lines=[{"method_id": "flat_rate", "method_title": "Flat rate", "total": "79.00"}],
        fee_lines=[{"name": "Gift wrapping", "total": "15.00"}],
        coupon_lines=[{"code": "spring"}],
    )
    assert [(one["code"], one["discount"]) for one in placed.told["coupon_lines"]] == [("spring", "9.99")]
    assert not woo.step().failed()
    assert Decimal(placed.told["total"]) == Decimal("230.00")
    assert [(row["lineObjectNumber"], row["unitPrice"]) for row in placed.charges()] == [
        (FREIGHT, 79),
        (FEES, 15),
    ]
    assert len(placed.bc["salesOrderLines"]) == 3, "a coupon is no line"
    placed.agree()


def test_a_woocommerce_order_with_a_coupon_follows_both_ways(woo: World) -> None:
    placed = Woo(
        woo,
        shipping_lines=[{"method_id": "flat_rate", "total": "79.00"}],
        fee_lines=[{"name": "Gift wrapping", "total": "15.00"}],
        coupon_lines=[{"code": "spring"}],
    )
    woo.step()
    told = placed.told
    changed = {"shipping_lines": [{"id": told["shipping_lines"][0]["id"], "total": "50.00"}]}
    placed.call(
        "PUT", f"orders/{placed.id}", changed | {"fee_lines": [{"name": "Express", "total": "20.00"}]}
    )
    placed.step()
    assert [row["unitPrice"] for row in placed.charges()] == [50, 15, 20]
    placed.agree()
    lamps = next(row for row in placed.bc["salesOrderLines"] if row["lineType"] == "Item")
    placed.change(lamps, discountPercent=20)
    placed.change(placed.charges(FREIGHT)[0], unitPrice=60)
    woo.bc.delete("salesOrderLines", placed.charges(FEES)[0]["id"])
    placed.step()
    told = placed.told
    assert [one["total"] for one in told["shipping_lines"]] == ["60.00"]
    assert [(one["name"], one["total"]) for one in told["fee_lines"]] == [("Express", "20.00")]
    assert [(one["code"], one["discount"]) for one in told["coupon_lines"]] == [("spring", "20.00")]
    placed.agree()


def test_a_charge_is_a_resource(charging: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = NAMED[1].replace("fee_type: Account", "fee_type: Resource").replace(FEES, "fitter")
    edited_flows(tmp_path, monkeypatch, order=(NAMED[0], number))
    placed = Charged(charging, fees=[{**FEE, "description": "Fitting"}])
    charging.step()
    assert [(row["lineType"], row["lineObjectNumber"]) for row in placed.charges()] == [
        ("Resource", "FITTER")
    ]
    placed.agree()
    placed.edit(fees=[{"id": placed.shop["fees"][0]["id"], "amount": "25.00"}])
    placed.step()
    assert [row["unitPrice"] for row in placed.charges()] == [25]
    placed.agree()
    placed.change(placed.charges()[0], unitPrice=40)
    placed.add("FITTER", 12, lineType="Resource", description="More fitting")
    placed.add("DESIGN", 500, lineType="Resource")  # another one is no fee
    placed.step()
    told = [(fee["description"], fee["amount"]) for fee in placed.shop["fees"]]
    assert told == [("Fitting", "40.00"), ("More fitting", "12.00")]


def test_a_resource_bears_its_share_of_the_discount_there(
    charging: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "discount_amount" in charging.shop_lacks("order"):
        pytest.skip("this shop's discounts are in its lines")
    number = NAMED[1].replace("fee_type: Account", "fee_type: Resource").replace(FEES, "fitter")
    edited_flows(tmp_path, monkeypatch, order=(NAMED[0], number))
    placed = Charged(charging, fees=[FEE], discount_amount="20.00")
    charging.step()
    assert placed.charges()[0]["netAmount"] < 15
    placed.agree()


@pytest.fixture(params=["in the flow", "beside it"])
def redeeming(
    request: pytest.FixtureRequest,
    named: World,
    profile: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """A shop that tells of gift cards, and a company that has an account for them."""
    if profile != "reference":
        pytest.skip("edits the reference shop's description")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(telling_gift_cards(tmp_path / "own.yaml")))
    if request.param == "in the flow":
        _edit(tmp_path, *REDEEMED)
    else:
        _edit(tmp_path, REDEEMED[-1])
        (tmp_path / "flows" / "gift_cards.yaml").write_text(ADDED, encoding="utf-8")
    return named


def test_a_gift_card_that_is_redeemed_is_a_third_kind(redeeming: World) -> None:
    cards = [{"code": "GIFT-1", "amount": "-50.00"}]
    placed = Charged(redeeming, shipping_amount="79.00", fees=[FEE], gift_cards=cards)
    assert not redeeming.step().failed()
    assert Decimal(placed.shop["total_excl_tax"]) == 244
    assert [(row["lineObjectNumber"], row["unitPrice"]) for row in placed.charges()] == [
        (FREIGHT, 79),
        (FEES, 15),
        (GIFTS, -50),
    ]
    placed.agree()
    placed.edit(gift_cards=[{"id": placed.shop["gift_cards"][0]["id"], "amount": "-60.00"}])
    placed.step()
    assert [row["unitPrice"] for row in placed.charges(GIFTS)] == [-60]
    placed.agree()
    placed.change(placed.charges(GIFTS)[0], unitPrice=-35.5)
    placed.add(GIFTS, -10, description="GIFT-2")
    placed.step()
    told = [(card["code"], card["amount"]) for card in placed.shop["gift_cards"]]
    assert told == [("GIFT-1", "-35.50"), ("GIFT-2", "-10.00")]
    placed.agree()
    redeeming.bc.delete("salesOrderLines", placed.charges(GIFTS)[0]["id"])
    placed.step()
    assert [card["code"] for card in placed.shop["gift_cards"]] == ["GIFT-2"]
    assert (placed.shop["shipping_amount"], len(placed.shop["fees"])) == ("79.00", 1)
    placed.agree()


@pytest.fixture
def told_apart(named: World, tmp_path: Path) -> World:
    """A company that posts fees by their kind: the flow maps what the shop calls them to two accounts."""
    _edit(
        tmp_path,
        (f'fee_number: "{FEES}"', f'fee_number: "{FEES} | {GIFTS}"'),
        (
            "bc: description,       type: text(100), blank_keeps: true}",
            f'bc: lineObjectNumber, type: text(20), values: {{Gift wrapping: "{FEES}", Insurance: "{GIFTS}"}}}}',
        ),
    )
    return named


def test_the_number_of_a_fee_follows_from_its_kind(told_apart: World) -> None:
    placed = Charged(told_apart, fees=[FEE, {"description": "Insurance", "amount": "5.00"}])
    told_apart.step()
    assert [(row["lineObjectNumber"], row["unitPrice"]) for row in placed.charges()] == [
        (FEES, 15),
        (GIFTS, 5),
    ]
    placed.agree()
    placed.add(GIFTS, 8)
    placed.step()
    told = [(fee["description"], fee["amount"]) for fee in placed.shop["fees"]]
    assert told == [("Gift wrapping", "15.00"), ("Insurance", "5.00"), ("Insurance", "8.00")]
    placed.agree()


def test_a_fee_of_a_kind_without_a_number_is_named(told_apart: World) -> None:
    placed = Charged(told_apart, fees=[{"description": "Tip", "amount": "5.00"}])
    told_apart.step()
    state, reason = told_apart.state("order", placed.id) or ("", "")
    assert state == "quarantined"
    assert "'Tip' is not among the values the flow maps" in reason


def test_a_fee_that_becomes_another_kind_is_refused_by_name(told_apart: World) -> None:
    placed = Charged(told_apart, fees=[FEE])
    told_apart.step()
    placed.edit(fees=[{"id": placed.shop["fees"][0]["id"], "description": "Insurance"}])
    told_apart.step("order")
    assert "'lineObjectNumber' cannot be changed" in (told_apart.state("order", placed.id) or ("", ""))[1]
    placed.edit(fees=[{"description": "Insurance", "amount": "15.00"}])  # removed, and entered anew
    placed.step()
    assert [row["lineObjectNumber"] for row in placed.charges()] == [GIFTS]
    placed.agree()
