"""Charges that have no place on the other side, or are none: a person is told, and nothing is lost."""

from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline_tests.flow_files import copied_flows, edited_flows
from talk_pipeline_tests.pipeline.charges import FEE, FEES, FREIGHT, NAMED, Charged
from talk_pipeline_tests.world import World


def test_without_a_number_the_order_waits_by_name(charging: World) -> None:
    world = charging
    placed = Charged(world, shipping_amount="79.00")
    other = placed.place("O2")
    world.step()
    state, reason = world.state("order", placed.id) or ("", "")
    assert state == "quarantined"
    assert "shipping: 79.00 has no place in Business Central" in reason
    assert "settings.constants.shipping_number" in reason
    assert world.counterpart("order", other)
    world.shop.patch("orders", other, {"shipping_amount": "12.00", "phone": "+45 11 22 33 44"})
    world.step("order")
    assert "shipping: 12.00 has no place" in (world.state("order", other) or ("", ""))[1]
    there = world.bc.get("salesOrders", world.counterpart("order", other))
    assert there["phoneNumber"].replace(" ", "") == "+4511223344"
    assert len(there["salesOrderLines"]) == 1


def test_a_second_freight_line_is_named_and_never_summed(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    if named.has_room("order", "shipping"):
        placed.add(FREIGHT, 40)
        placed.step()
        assert placed.shop["shipping_amount"] == "119.00"
        placed.agree()
        return
    placed.add(FREIGHT, 40)
    placed.step()
    assert placed.shop["shipping_amount"] == "79.00"
    state, reason = named.state("order", placed.id) or ("", "")
    assert state == "quarantined"
    assert "shipping" in reason
    assert "room for 1" in reason
    assert len(placed.charges(FREIGHT)) == 2
    placed.edit(phone="+45 11 22 33 44")  # and nothing else stops
    placed.step()
    assert placed.bc["phoneNumber"].replace(" ", "") == "+4511223344"
    named.bc.delete("salesOrderLines", placed.charges(FREIGHT)[0]["id"])
    placed.step()
    assert placed.shop["shipping_amount"] == "40.00"
    placed.agree()


def test_a_line_posted_elsewhere_is_no_removal(
    named: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    edited_flows(tmp_path, monkeypatch, order=(NAMED[0], NAMED[1].replace(FREIGHT, "1010")))
    named.step("order")
    assert placed.shop["shipping_amount"] == "79.00"
    assert "settings.constants.shipping_number" in (named.state("order", placed.id) or ("", ""))[1]
    placed.edit(shipping_amount="80.00")  # not a second line either
    named.step("order")
    assert [row["unitPrice"] for row in placed.charges()] == [79]
    edited_flows(tmp_path, monkeypatch, order=(NAMED[0], NAMED[1].replace(FREIGHT, f"1010 | {FREIGHT}")))
    placed.step()
    assert [row["unitPrice"] for row in placed.charges(FREIGHT)] == [80]
    placed.agree()


def test_a_released_order_takes_no_charges(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    named.bc.control(f"sales-orders/{placed.bc_id}/release")
    placed.edit(shipping_amount="50.00", fees=[FEE])
    named.step("order")
    assert [row["unitPrice"] for row in placed.charges()] == [79]
    held = named.sql("select distinct part, hold_kind from change where flow = 'order' order by 1")
    assert held == [("order.fees", "guarded"), ("order.shipping", "guarded")]
    named.bc.control(f"sales-orders/{placed.bc_id}/reopen")
    placed.step()
    assert [row["unitPrice"] for row in placed.charges()] == [50, 15]
    placed.agree()


def test_what_is_no_charge_stays_alone(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    placed.add("1010", 500)
    named.bc.post(
        f"salesOrders({placed.bc_id})/salesOrderLines", {"lineType": "Comment", "description": "By truck"}
    )
    placed.edit(shipping_amount="0.00")
    placed.step()
    assert [row["lineType"] for row in placed.charges()] == ["Account", "Comment"]
    assert placed.shop["fees"] == []
    assert named.step("order").writes() == 0


def test_a_quantity_or_discount_of_a_charge_is_named(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    placed.change(placed.charges(FREIGHT)[0], quantity=2)
    placed.add(FEES, 10, discountPercent=50)
    named.step("order")
    assert placed.shop["shipping_amount"] == "79.00"
    assert placed.shop["fees"] == []
    rows = named.sql(
        "select part, hold_reason from change where flow = 'order' and hold_kind = 'quarantined'"
    )
    told = dict(rows)
    assert "charge_quantity: 2, and the shop has no other than 1" in told["order.shipping"]
    assert "charge_discount: 50, and the shop has no other than 0" in told["order.fees"]
    placed.change(placed.charges(FREIGHT)[0], quantity=1)
    placed.change(placed.charges(FEES)[0], discountPercent=0)
    placed.step()
    assert [fee["amount"] for fee in placed.shop["fees"]] == ["10.00"]
    placed.agree()


def test_an_item_charge_instead_of_an_account(
    charging: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 'shipping_type: Charge, shipping_number: "freight"'
    edited_flows(tmp_path, monkeypatch, order=('shipping_type: Account, shipping_number: ""', number))
    placed = Charged(charging, shipping_amount="79.00")
    charging.step()
    assert [(row["lineType"], row["lineObjectNumber"]) for row in placed.charges()] == [("Charge", "FREIGHT")]
    placed.change(placed.charges()[0], unitPrice=30)
    placed.step()
    assert Decimal(placed.shop["shipping_amount"]) == 30
    placed.agree()


def test_two_collections_of_one_kind_are_a_mistake(tmp_path: Path) -> None:
    twice = (NAMED[0], NAMED[1].replace(FEES, f"{FREIGHT} | {FEES}"))
    with pytest.raises(FlowError, match=r"order\.yaml:\d+: children\.fees\.scope: .* as shipping"):
        load_flows(copied_flows(tmp_path / "flows", order=twice))


def test_a_scope_names_a_constant_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"children\.fees\.scope\.lineObjectNumber: .*'fee_no'"):
        load_flows(copied_flows(tmp_path / "flows", order=("{fee_number}", "{fee_no}")))
