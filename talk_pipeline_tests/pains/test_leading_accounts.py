"""Who leads of several accounts of the shop that share one customer: none that is outside the flow's scope."""

from pathlib import Path

import pytest

from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.pains.test_shared_debtors import (
    BY_RULE,
    VAT,
    accounts,
    attached_to,
    settled,
    sharing,
)
from talk_pipeline_tests.pipeline.by_hand import bc_customer, link
from talk_pipeline_tests.pipeline.decisions.test_attention import of
from talk_pipeline_tests.pipeline.decisions.test_explain import explain
from talk_pipeline_tests.pipeline.second_opinion import unexplained
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


def test_one_that_leaves_the_scope_hands_the_lead_over(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edits of the one left travel both ways; the one that led shares the customer, also when it is back."""
    edited_flows(tmp_path, monkeypatch, customer=SCOPED)
    debtor, (first, second) = sharing(world, "C1", "C2")
    world.shop.patch("customers", first, {"active": False})
    assert not world.step("customer").failed()
    assert world.counterpart("customer", second) == debtor
    assert world.bc.get("customers", debtor)["displayName"] == "Company C2"
    assert (world.state("customer", first) or ("",))[0] == "excluded"
    assert "led until it left the scope" in explain("customer", second)["link"]["how"]
    world.bc.patch("customers", debtor, {"website": "www.there.example"})
    world.shop.patch("customers", second, {"phone": "+45 11 22 33 44"})
    assert not world.step("customer").failed()
    assert world.shop.get("customers", second)["website"] == "www.there.example"
    assert world.bc.get("customers", debtor)["phoneNumber"] == "+45 11 22 33 44"
    settled(world)
    assert not unexplained("customer")

    world.shop.patch("customers", first, {"active": True})
    assert world.step("customer").writes() == 0
    assert attached_to(world, first) == debtor
    world.shop.patch("customers", second, {"active": False})
    assert not world.step("customer").failed()
    assert world.counterpart("customer", first) == debtor
    assert world.bc.get("customers", debtor)["displayName"] == "Company C1"
    settled(world)


def test_with_several_left_in_scope_a_person_says_who_leads(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=SCOPED)
    debtor, (first, second, third) = sharing(world, "C1", "C2", "C3")
    world.shop.patch("customers", first, {"active": False})
    for full in (False, True):
        run = world.step("customer", full=full)
        assert not run.failed()
        assert run.writes() == 0
    (waiting,) = of(Kind.AMBIGUOUS)
    assert (waiting.shop_id, waiting.bc_id) == (first, debtor)
    assert "left the scope: active is false" in waiting.reason
    assert "2 others share its counterpart, and one of them is to lead" in waiting.reason
    assert waiting.next_step.endswith(f"talk-pipeline link customer ID {debtor} --lead")
    assert explain("customer", first)["next_step"] == waiting.next_step
    assert link(third, debtor, lead=True).action == "linked"
    assert not world.step("customer").failed()
    assert (world.counterpart("customer", third), attached_to(world, second)) == (debtor, debtor)
    assert world.bc.get("customers", debtor)["displayName"] == "Company C3"
    assert not of(Kind.AMBIGUOUS)
    settled(world)


def test_where_several_were_left_the_last_one_takes_the_lead_and_so_does_one_that_is_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=SCOPED)
    debtor, (first, second, third) = sharing(world, "C1", "C2", "C3")
    world.shop.patch("customers", first, {"active": False})
    world.step("customer")
    world.shop.patch("customers", first, {"active": True})
    assert world.step("customer").writes() == 0
    assert world.state("customer", first) is None, "it leads as before"
    world.shop.patch("customers", first, {"active": False})
    world.step("customer")
    world.shop.patch("customers", second, {"active": False})
    assert not world.step("customer").failed()
    assert world.counterpart("customer", third) == debtor
    assert [(world.state("customer", one) or ("",))[0] for one in (first, second)] == ["excluded"] * 2
    settled(world)


def test_where_all_are_outside_nobody_is_asked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=SCOPED)
    debtor, (first, second) = sharing(world, "C1", "C2")
    for one in (first, second):
        world.shop.patch("customers", one, {"active": False})
    assert world.step("customer").writes() == 0
    assert [(world.state("customer", one) or ("",))[0] for one in (first, second)] == ["excluded"] * 2
    world.shop.patch("customers", second, {"active": True})
    assert not world.step("customer").failed()
    assert world.counterpart("customer", second) == debtor
    settled(world)
