"""Texts too long for one property of Business Central: split by a declared rule, both ways."""

from pathlib import Path

import pytest
import yaml

from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.mishaps import cut_short
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

ROW = "addressLine1,          type: text(100)"
SPLIT = (ROW, f"{ROW}, split: [address.line1, address.line2]")
FIRST = "Old Warehouses of the Northern Harbour Company, Building 12 behind the Customs House, Gate C, second"
SECOND = "floor, Purchasing"
LONG = f"{FIRST} {SECOND}"


@pytest.fixture
def split(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Customers whose first address line may go on in the second."""
    edited_flows(tmp_path, monkeypatch, customer=SPLIT)
    return world


@pytest.fixture
def one_place(split: World, profile: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """And their shop has one field for the street."""
    if profile != "reference":
        pytest.skip("edits the reference shop's description")
    said = yaml.safe_load(REFERENCE.read_text(encoding="utf-8"))
    said["entities"]["customers"]["lacks"] = ["address.line2"]
    file = split.data.parent / "own.yaml"
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    return split


def made(world: World, line1: str | None, line2: str | None = None) -> tuple[str, str]:
    address = customer()["address"] | {"line1": line1, "line2": line2}
    key = world.shop.post("customers", customer(address=address))["id"]
    assert not world.step("customer").failed()
    return key, world.counterpart("customer", key)


def there(world: World, bc_id: str) -> tuple[str, str]:
    held = world.bc.get("customers", bc_id)
    return held["addressLine1"], held["addressLine2"]


def here(world: World, key: str) -> tuple[str | None, str | None]:
    address = world.shop.get("customers", key)["address"]
    return address["line1"], address.get("line2")


def quiet(world: World) -> None:
    run = world.step("customer", full=True)
    assert not run.failed()
    assert run.writes() == 0
    assert not unexplained("customer")


def test_without_the_rule_it_is_quarantined(world: World) -> None:
    address = customer()["address"] | {"line1": LONG}
    key = world.shop.post("customers", customer(address=address))["id"]
    world.step("customer")
    state, reason = world.state("customer", key) or ("", "")
    assert state == "quarantined"
    assert "at most 100 fit" in reason


def test_a_long_line_goes_on_in_the_next(split: World) -> None:
    key, bc_id = made(split, LONG)
    assert there(split, bc_id) == (FIRST, SECOND)
    assert here(split, key) == (LONG, None)
    quiet(split)


def test_an_edit_in_the_shop_moves_what_goes_on(split: World) -> None:
    key, bc_id = made(split, LONG)
    address = split.shop.get("customers", key)["address"]
    split.shop.patch("customers", key, {"address": address | {"line1": f"Attn. {LONG}"}})
    assert not split.step("customer").failed()
    assert " ".join(there(split, bc_id)) == f"Attn. {LONG}"
    quiet(split)
    split.shop.patch("customers", key, {"address": address | {"line1": "Main Street 1"}})
    assert not split.step("customer").failed()
    assert there(split, bc_id) == ("Main Street 1", "")
    quiet(split)


def test_an_edit_there_comes_back_in_both_lines(split: World) -> None:
    key, bc_id = made(split, LONG)
    split.bc.patch("customers", bc_id, {"addressLine2": "third floor"})
    assert not split.step("customer").failed()
    assert here(split, key) == (FIRST, "third floor")
    quiet(split)


def test_an_edit_there_of_lines_that_fit_is_written_alone(split: World) -> None:
    key, bc_id = made(split, "Main Street 1", "Yard")
    split.bc.patch("customers", bc_id, {"addressLine2": "Gate"})
    split.step("customer")
    assert here(split, key) == ("Main Street 1", "Gate")
    written = split.sql(
        "select property from written where target = 'customwebshop' and operation = 'update'"
    )
    assert written == [("address.line2",)]
    quiet(split)


@pytest.mark.parametrize("side", ["shop", "bc"])
def test_an_edit_of_something_else_writes_nothing_of_the_lines(split: World, side: str) -> None:
    key, bc_id = made(split, LONG)
    if side == "shop":
        split.shop.patch("customers", key, {"website": "www.else.example"})
    else:
        split.bc.patch("customers", bc_id, {"website": "www.else.example"})
    split.step("customer")
    assert split.sql("select property from written where operation = 'update'") == [("website",)]
    quiet(split)


def test_edits_of_both_parts_meet(split: World) -> None:
    key, bc_id = made(split, LONG)
    split.let_time_pass()
    split.bc.patch("customers", bc_id, {"addressLine1": "Elsewhere 9"})
    split.let_time_pass()
    address = split.shop.get("customers", key)["address"]
    split.shop.patch("customers", key, {"address": address | {"line1": f"{LONG} two"}})
    split.step("customer")
    split.step("customer")
    assert " ".join(there(split, bc_id)).split() == " ".join(filter(None, here(split, key))).split()
    quiet(split)


def test_what_has_no_room_at_all_is_quarantined_as_one(split: World) -> None:
    key, bc_id = made(split, LONG)
    address = split.shop.get("customers", key)["address"]
    split.shop.patch("customers", key, {"address": address | {"line1": LONG * 2, "city": "Elsewhere"}})
    run = split.step("customer")
    assert there(split, bc_id) == (FIRST, SECOND), "no part of it goes alone"
    assert split.bc.get("customers", bc_id)["city"] == "Elsewhere"
    assert run["customer"]["held"] or split.state("customer", key)
    held = dict(split.sql("select property, hold_reason from change where hold_kind = 'quarantined'"))
    assert "at most 100 + 50 fit" in held["address.line1"]


def test_a_shop_with_one_place_has_all_of_it_there(one_place: World) -> None:
    key, bc_id = made(one_place, LONG)
    assert there(one_place, bc_id) == (FIRST, SECOND)
    quiet(one_place)
    one_place.bc.patch("customers", bc_id, {"addressLine1": "Main Street 1", "addressLine2": "Yard"})
    assert not one_place.step("customer").failed()
    assert here(one_place, key) == ("Main Street 1 Yard", None)
    assert there(one_place, bc_id) == ("Main Street 1", "Yard"), "where a line is broken is theirs to say"
    quiet(one_place)
    one_place.bc.patch("customers", bc_id, {"addressLine2": "Gate"})
    assert not one_place.step("customer").failed()
    assert here(one_place, key) == ("Main Street 1 Gate", None)
    quiet(one_place)
    address = one_place.shop.get("customers", key)["address"]
    one_place.shop.patch("customers", key, {"address": address | {"line1": LONG}})
    assert not one_place.step("customer").failed()
    assert there(one_place, bc_id) == (FIRST, SECOND)
    quiet(one_place)


def test_a_create_that_is_sent_once_more_says_the_same(one_place: World) -> None:
    file = one_place.data.parent / "flows" / "customer.yaml"
    file.write_text(replaced(file.read_text(encoding="utf-8"), ("create: always", "create: both")))
    said = {"number": "B1", "displayName": "Made there", "type": "Company", "addressLine1": FIRST}
    one_place.bc.post("customers", said | {"addressLine2": SECOND})
    one_place.shop.faults(rule("POST", "customers", hold=True))
    cut_short(one_place, "customer")
    assert not one_place.step("customer").failed()
    ((key, row),) = one_place.shop.all("customers").items()
    assert row["address"]["line1"] == LONG
    assert there(one_place, one_place.counterpart("customer", key)) == (FIRST, SECOND)
    quiet(one_place)
