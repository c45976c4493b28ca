"""A record that a system refuses: it alone waits, and goes on by itself once it or its counterpart changes."""

from pathlib import Path

import pytest
import yaml

from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def test_a_poisoned_record_affects_only_itself(world: World) -> None:
    good = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(5)]
    bad = world.shop.post("customers", customer("BAD", address={"country": "AQ", "city": "Pole"}))["id"]
    run = world.step("customer")
    assert run["customer"]["linked"] == 5
    assert run["customer"]["quarantined"] == 1
    assert run["customer"]["failed"] == 1
    state, reason = world.state("customer", bad) or ("", "")
    assert state == "quarantined"
    assert "Internal_InvalidTableRelation" in reason
    assert not run.failed()

    world.forget_requests()
    run = world.step("customer")
    assert world.writes()["businesscentral"] == 0, "the same data is not refused twice"
    assert run["customer"]["quarantined"] == 1

    world.shop.patch("customers", bad, {"address": {"country": "DK"}})
    assert world.step("customer")["customer"]["linked"] == 6
    assert len(good) == 5


def test_a_refused_property_does_not_hold_the_other_direction(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.shop.patch("customers", buyer, {"address": {"country": "AQ"}})
    world.bc.patch("customers", bc_id, {"website": "www.new.example"})
    run = world.step("customer")
    assert world.shop.get("customers", buyer)["website"] == "www.new.example"
    assert (world.state("customer", buyer) or ("", ""))[0] == "quarantined"
    assert not run.failed()


def test_a_quarantine_ends_by_itself_when_the_other_side_changes_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = ("conflict: last_writer", "conflict: businesscentral")  # whatever times the shop tells
    edited_flows(world.data.parent, monkeypatch, customer=policy)
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", buyer)
    world.shop.patch("customers", buyer, {"address": {"country": "AQ"}})
    world.step("customer")
    state, reason = world.state("customer", buyer) or ("", "")
    assert (state, "AQ" in reason) == ("quarantined", True)
    world.bc.patch("customers", bc_id, {"country": "SE"})
    assert not world.step("customer").failed()
    assert world.state("customer", buyer) is None
    assert world.shop.get("customers", buyer)["address"]["country"] == "SE"
    assert world.step("customer").writes() == 0


def test_a_number_that_is_taken_is_asked_again_in_a_full_scan(world: World) -> None:
    """Whoever has it may go: that changes nothing in the record that was refused."""
    person = world.bc.post("customers", {"number": "C1", "displayName": "Private", "type": "Person"})["id"]
    buyer = world.shop.post("customers", customer("C1"))["id"]
    world.step("customer")
    state, reason = world.state("customer", buyer) or ("", "")
    assert (state, "Internal_EntityWithSameKeyExists" in reason) == ("quarantined", True)
    world.bc.delete("customers", person)
    assert world.step("customer").writes() == 0, "not asked again for nothing"
    world.step("customer", full=True)
    assert world.counterpart("customer", buyer)


def test_what_was_in_conflict_with_something_in_the_shop_is_asked_again_in_a_full_scan(world: World) -> None:
    if world.profile != "reference":
        pytest.skip("the fault speaks the reference API")
    key = world.shop.post("customers", customer())["id"]
    world.step("customer")
    world.shop.faults(rule("PATCH", f"customers/{key}", status=409))
    world.bc.patch("customers", world.counterpart("customer", key), {"website": "www.new.example"})
    world.step("customer")
    assert (world.state("customer", key) or ("",))[0] == "quarantined"
    assert world.step("customer").writes() == 0, "not asked again for nothing"
    world.step("customer", full=True)
    assert world.shop.get("customers", key)["website"] == "www.new.example"
    assert world.state("customer", key) is None


def test_what_a_wrong_description_had_refused_is_asked_again_once_it_is_mended(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.profile != "reference":
        pytest.skip("edits the reference shop's description")
    buyer = world.shop.post("customers", customer())["id"]
    world.step("customer")
    file, said = tmp_path / "own.yaml", yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))

    def described(**more: object) -> None:
        customers = said["entities"]["customers"] | more
        text = yaml.safe_dump(said | {"entities": said["entities"] | {"customers": customers}})
        file.write_text(text, encoding="utf-8")

    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    described(update=[{"method": "PATCH", "path": "{item}", "constants": {"kind_of": "customer"}}])
    world.bc.patch("customers", world.counterpart("customer", buyer), {"website": "www.new.example"})
    world.step("customer")
    state, reason = world.state("customer", buyer) or ("", "")
    assert (state, "kind_of" in reason) == ("quarantined", True), reason
    assert world.step("customer").writes() == 0, "not asked again for nothing"

    described()
    assert not world.step("customer").failed()
    assert world.shop.get("customers", buyer)["website"] == "www.new.example"
    assert world.state("customer", buyer) is None
