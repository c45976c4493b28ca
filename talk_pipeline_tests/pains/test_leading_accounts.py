"""Who leads of several accounts of the shop that share one customer: none that is outside the flow's scope."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.pains.test_shared_debtors import (
    BY_RULE,
    VAT,
    accounts,
    attached_to,
    settled,
    sharing,
)
from talk_pipeline_tests.pipeline.by_hand import bc_customer
from talk_pipeline_tests.world import World

SCOPED = ("settings:\n", "settings:\n  scope: {active: [true]}\n")


def test_what_is_outside_the_scope_takes_no_lead_until_it_is_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=SCOPED)
    debtor, (first, second) = sharing(world, "C1", "C2")
    world.shop.patch("customers", second, {"active": False})
    world.shop.delete("customers", first)
    world.step("customer", full=True)
    assert (world.state("customer", first) or ("",))[0] == "broken", "it is told that nobody leads"
    assert attached_to(world, second) == debtor
    assert world.step("customer", full=True).writes() == 0
    world.shop.patch("customers", second, {"active": True})
    assert not world.step("customer").failed()
    assert world.counterpart("customer", second) == debtor
    assert world.bc.get("customers", debtor)["displayName"] == "Company C2"
    settled(world)


def test_the_only_one_left_in_scope_takes_the_lead(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=SCOPED)
    debtor, (first, second, third) = sharing(world, "C1", "C2", "C3")
    world.shop.patch("customers", second, {"active": False})
    world.shop.delete("customers", first)
    assert not world.step("customer", full=True).failed()
    assert world.counterpart("customer", third) == debtor
    assert attached_to(world, second) == debtor
    assert (world.state("customer", second) or ("",))[0] == "excluded"
    settled(world)


def test_by_rule_one_in_scope_leads(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = edited_flows(tmp_path, monkeypatch, customer=BY_RULE)
    file = folder / "customer.yaml"
    file.write_text(replaced(file.read_text(), SCOPED, ("create: always", "create: both")))
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT)
    first, second = accounts(world, "C1", "C2")
    world.shop.patch("customers", first, {"active": False})
    assert not world.step("customer").failed()
    assert world.counterpart("customer", second) == debtor
    assert attached_to(world, first) == debtor
