"""A key that belongs to a linked pair: the newcomer that carries it is a person's choice, never a second record."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.by_hand import bc_customer, keep_apart, link, unlink
from talk_pipeline_tests.pipeline.decisions.test_explain import explain
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

VAT = "12345678"
SHARED: list[tuple[str, dict[str, Any]]] = [
    ("email", {"email": "same@company.example"}),
    ("organization_number", {"organization_number": VAT}),
]


def ambiguous(world: World, flow: str, shop_id: str) -> str:
    """The reason why a record is ambiguous, which it must be."""
    state, reason = world.state(flow, shop_id) or ("in step", "")
    assert state == "ambiguous", f"{state}: {reason}"
    return reason


@variants(("prop", "values"), SHARED)
def test_a_second_account_of_a_linked_company_is_left_to_a_person(
    world: World, prop: str, values: dict[str, Any]
) -> None:
    first = world.shop.post("customers", customer("C1", **values))["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", first)
    second = world.shop.post("customers", customer("C2", **values))["id"]
    for full in (False, True):
        run = world.step("customer", full=full)
        assert not run.failed()
        assert run.writes() == 0
        reason = ambiguous(world, "customer", second)
        for word in (f"{prop} {values[prop]}", bc_id, "number C1", first):
            assert word in reason
    assert run.finding("customer", "no_ambiguous_matches").rows[0]["shop_id"] == second
    assert len(world.bc.all("customers")) == 1
    command = f"talk-pipeline unlink --never customer {second} {bc_id}"
    assert command in explain("customer", second)["next_step"]
    keep_apart(second, bc_id)
    assert not world.step("customer").failed()
    assert world.counterpart("customer", second) != bc_id
    assert world.counterpart("customer", first) == bc_id
    assert world.step("customer", full=True).writes() == 0


def test_a_second_product_with_one_gtin(world: World) -> None:
    first = world.shop.post("products", product("P1", gtin="5701234567899"))["id"]
    world.step("product")
    second = world.shop.post("products", product("P2", gtin="05701234567899"))["id"]
    world.step("product")
    assert world.counterpart("product", first) in ambiguous(world, "product", second)
    assert len(world.bc.all("items")) == 1


def test_an_edit_that_has_not_arrived_counts(world: World) -> None:
    first = world.shop.post("customers", customer("C1"))["id"]
    world.step("customer")
    world.shop.patch("customers", first, {"organization_number": VAT})
    second = world.shop.post("customers", customer("C2", organization_number=VAT))["id"]
    run = world.step("customer")
    assert not run.failed()
    assert first in ambiguous(world, "customer", second)
    assert len(world.bc.all("customers")) == 1


def test_released_when_the_hit_disappears_on_either_side(world: World) -> None:
    first = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.step("customer")
    second = world.shop.post("customers", customer("C2", email="same@company.example"))["id"]
    world.step("customer")
    ambiguous(world, "customer", second)
    world.bc.patch("customers", world.counterpart("customer", first), {"email": "other@company.example"})
    for _ in range(2):  # the shop is told first
        assert not world.step("customer").failed()
    assert world.shop.get("customers", first)["email"] == "other@company.example"
    assert world.counterpart("customer", second) != world.counterpart("customer", first)
    assert world.step("customer", full=True).writes() == 0


def test_a_waiting_newcomer_is_hit_by_a_later_edit(world: World) -> None:
    first = world.shop.post("customers", customer("C1"))["id"]
    second = world.shop.post("customers", customer("C2", company_name="x" * 120, organization_number=VAT))[
        "id"
    ]
    world.step("customer")
    world.bc.patch("customers", world.counterpart("customer", first), {"taxRegistrationNumber": VAT})
    world.step("customer")
    world.shop.patch("customers", second, {"company_name": "Short"})
    world.step("customer")
    assert first in ambiguous(world, "customer", second)
    assert len(world.bc.all("customers")) == 1


@variants("values", [values for _, values in SHARED])
def test_of_two_that_arrive_together_one_goes_first(world: World, values: dict[str, Any]) -> None:
    ids = [world.shop.post("customers", customer(f"C{n}", **values))["id"] for n in (1, 2, 3)]
    run = world.step("customer")
    assert not run.failed()
    assert len(world.bc.all("customers")) == 1
    for later in ids[1:]:
        assert ids[0] in ambiguous(world, "customer", later)
    assert world.step("customer").writes() == 0
    keep_apart(ids[2], world.counterpart("customer", ids[0]))
    world.step("customer")
    assert len(world.bc.all("customers")) == 2


def test_a_free_candidate_is_no_way_around_a_linked_one(world: World) -> None:
    first = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.step("customer")
    free = bc_customer(world, "B2", email="same@company.example")
    second = world.shop.post("customers", customer("C2", email="same@company.example"))["id"]
    world.step("customer")
    reason = ambiguous(world, "customer", second)
    assert free in reason
    assert first in reason
    assert f"link customer {second} ID, where ID is one of {free}" in explain("customer", second)["next_step"]
    link(second, free)
    assert not world.step("customer").failed()
    assert len(world.bc.all("customers")) == 2


def test_a_held_record_claims_nothing_but_is_not_made_twice(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("create: always #", "create: both #"))
    first = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.step("customer")
    unlink(first)
    newcomer = bc_customer(world, "B9", email="same@company.example")
    run = world.step("customer")
    assert not run.failed()
    assert len(world.shop.all("customers")) == 1
    document = explain("customer", newcomer)
    assert (document["state"], first in document["reason"]) == ("ambiguous", True)
    assert f"unlink --never customer {first} {newcomer}" in document["next_step"]


@pytest.mark.reaches
def test_a_second_record_in_business_central_is_not_brought_to_the_shop(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("create: always #", "create: both #"))
    first = world.shop.post("customers", customer("C1", organization_number=VAT))["id"]
    world.step("customer")
    newcomer = bc_customer(world, "B9", taxRegistrationNumber=VAT)
    run = world.step("customer")
    assert not run.failed()
    assert run.writes() == 0
    assert len(world.shop.all("customers")) == 1
    (row,) = run.finding("customer", "no_ambiguous_matches").rows
    assert (row["bc_id"], first in row["reason"]) == (newcomer, True)
    keep_apart(first, newcomer)
    assert not world.step("customer").failed()
    assert len(world.shop.all("customers")) == 2


def test_a_number_used_again(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    first = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    sales_order = world.counterpart("order", first)
    try:
        second = world.shop.post("orders", order("o1", buyer, [line(item)]))["id"]
    except AssertionError:
        pytest.skip("this shop has each number once")
    world.step()
    assert sales_order in ambiguous(world, "order", second)
    for action in ("ship", "invoice"):
        world.bc.control(f"sales-orders/{sales_order}/{action}")
    world.step(full=True)
    assert world.state("order", first) == ("closed", "posted in Business Central: its story ended there")
    world.step("order")
    assert f"closed with {first}" in ambiguous(world, "order", second)
    assert not world.bc.orders()
    world.shop.patch("orders", second, {"status": "completed"})
    world.step()
    assert (world.state("order", second) or ("", ""))[0] == "excluded", (
        "what is not created needs no decision"
    )


def test_one_half_of_a_pair_is_gone(world: World) -> None:
    values = {"email": "same@company.example"}
    first = world.shop.post("customers", customer("C1", **values))["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", first)
    world.shop.delete("customers", first)
    second = world.shop.post("customers", customer("C2", **values))["id"]
    world.step("customer", full=True)
    reason = ambiguous(world, "customer", second)
    assert f"linked with {first}" in reason
    unlink(first, recreate=True)
    world.step("customer")
    assert world.counterpart("customer", second) == bc_id, (
        "the company's customer goes on with its new account"
    )
    assert len(world.bc.all("customers")) == 1


def test_what_is_gone_on_both_sides_claims_nothing(world: World) -> None:
    values = {"email": "same@company.example"}
    first = world.shop.post("customers", customer("C1", **values))["id"]
    world.step("customer")
    world.bc.delete("customers", world.counterpart("customer", first))
    world.shop.delete("customers", first)
    world.step("customer", full=True)
    second = world.shop.post("customers", customer("C2", **values))["id"]
    assert not world.step("customer", full=True).failed()
    assert list(world.bc.all("customers")) == [world.counterpart("customer", second)]
