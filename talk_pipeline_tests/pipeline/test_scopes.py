"""Which shop records a flow is about, and what happens when one leaves or comes back."""

import time
from pathlib import Path
from shutil import copy

import pytest

from talk_pipeline.flows.loading import PACKAGED
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

SETTINGS = "settings:\n"


def test_a_record_outside_the_scope_is_excluded_with_the_reason(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=(SETTINGS, f"{SETTINGS}  scope: {{active: [true]}}\n"))
    sold, left = (world.shop.post("customers", customer(n, active=n == "C1"))["id"] for n in ("C1", "C2"))
    assert not world.step().failed()
    assert world.counterpart("customer", sold)
    assert world.state("customer", left) == (
        "excluded",
        "active is false; synchronized only while: true",
    )
    assert len(world.bc.all("customers")) == 1


def test_a_linked_record_that_leaves_the_scope_is_left_alone_until_it_is_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=(SETTINGS, f"{SETTINGS}  scope: {{active: [true]}}\n"))
    key = world.shop.post("customers", customer())["id"]
    world.step()
    bc_id = world.counterpart("customer", key)

    world.shop.patch("customers", key, {"active": False, "website": "www.away.example"})
    run = world.step()
    assert not run.failed()
    assert world.state("customer", key) == (
        "excluded",
        "left the scope: active is false; synchronized only while: true",
    )
    assert world.bc.get("customers", bc_id)["website"] == "www.c1.example"
    assert world.bc.get("customers", bc_id)["blocked"] == "_x0020_"
    assert world.step().writes() == 0

    world.shop.patch("customers", key, {"active": True})
    assert not world.step().failed()
    assert world.bc.get("customers", bc_id)["website"] == "www.away.example"
    assert world.state("customer", key) is None
    assert world.counterpart("customer", key) == bc_id
    assert world.step().writes() == 0


def test_orders_newer_than_a_date(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited_flows(
        tmp_path,
        monkeypatch,
        order=(SETTINGS, f"{SETTINGS}  scope: {{ordered_at: {{at_least: 2026-03-01}}}}\n"),
    )
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    for number, at in (("O1", "2026-02-28T12:00:00.000Z"), ("O2", "2026-03-01T12:00:00.000Z")):
        world.shop.post("orders", order(number, buyer, [line(item)], ordered_at=at))
    assert not world.step().failed()
    assert {row["externalDocumentNumber"] for row in world.bc.orders().values()} == {"O2"}


@pytest.mark.slow
def test_private_persons_are_one_more_flow_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = edited_flows(tmp_path, monkeypatch)
    copy(PACKAGED / "optional" / "customer_person.yaml", folder)
    company = world.shop.post("customers", customer("C1"))["id"]
    person = world.shop.post("customers", customer("C2", company_name=None, contact_name="A Person"))["id"]
    run = world.step()
    assert run.success
    assert not run.failed()
    held = {row["number"]: row for row in world.bc.all("customers").values()}
    assert {number: row["type"] for number, row in held.items()} == {"C1": "Company", "C2": "Person"}
    assert held["C2"]["displayName"] == "A Person"
    assert world.counterpart("customer_person", person)
    assert world.state("customer", person) == (
        "excluded",
        "customer_person.company_name is blank; synchronized only while: filled",
    )
    assert world.state("customer_person", company) == (
        "excluded",
        "company_name is Company C1; synchronized only while: blank",
    )

    world.bc.patch("customers", world.counterpart("customer_person", person), {"displayName": "Another Name"})
    assert not world.step().failed()
    assert world.shop.get("customers", person)["contact_name"] == "Another Name"
    assert world.step().writes() == 0


def test_a_record_rests_before_its_edits_travel(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Connections(Settings.load()).description.modified is None:
        pytest.skip("this shop tells no modified times")
    edited_flows(tmp_path, monkeypatch, customer=(SETTINGS, f"{SETTINGS}  settle_seconds: 6\n"))
    key = world.shop.post("customers", customer())["id"]
    run = world.step("customer")
    assert not run.failed()
    assert not world.bc.all("customers")
    state = world.state("customer", key)
    assert state is not None
    assert state[0] == "waiting"
    assert state[1].endswith("and rests 6 s")
    time.sleep(7.2)
    assert not world.step("customer").failed()
    assert len(world.bc.all("customers")) == 1
    assert world.state("customer", key) is None
