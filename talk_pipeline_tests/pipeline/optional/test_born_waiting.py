"""Records born in Business Central that wait: why is told, by the audit too."""

from pathlib import Path

import pytest

from talk_pipeline.engine.report.open_items import open_records
from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline_tests.flow_files import edited_flows, flows_in
from talk_pipeline_tests.pipeline.by_hand import keep_apart, link, unlink
from talk_pipeline_tests.pipeline.decisions.test_attention import waiting
from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.mishaps import one_of_two_lost
from talk_pipeline_tests.pipeline.optional.test_contacts import company_of
from talk_pipeline_tests.pipeline.records import customer, product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.world import World

VAT = "25313763"


def test_one_that_names_whom_the_shop_does_not_have_has_that_for_a_reason(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_optional(world, tmp_path, monkeypatch, "contact", "customer_contacts")
    buyer = world.shop.post("customers", customer())["id"]
    assert not world.step("customer", "contact").failed()
    firm = {"type": "Person", "companyNumber": company_of(world, buyer)}
    unlink(buyer)
    world.bc.post("contacts", firm | {"displayName": "Eva Dam"})
    for full in (False, True):
        world.step("customer", "contact", full=full)
        assert not world.shop.all("contacts")
        assert not unexplained("contact")


def test_one_that_may_be_what_another_became_has_that_for_a_reason_until_it_is_linked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shop lost the answer, and somebody edited what it made: by its VAT number it is a third one's."""
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    longest(monkeypatch, tmp_path, seconds=600)
    first, made, second = one_of_two_lost(world, VAT)
    for _ in range(2):
        assert list(world.shop.all("customers")) == [made]
        assert not unexplained("customer")
        held = world.sql("select state from bc_status where bc_id = ?", second)
        assert held == [("waiting",)]
        world.sql("update journal set open_until = open_until - interval 1 hour")
        world.step("customer")
    keep_apart(made, first)
    link(made, second)
    world.step("customer")
    assert not world.sql("select state from bc_status where bc_id = ?", second)


def test_one_that_has_no_place_in_the_shop_is_told_by_name_until_it_has(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, product=("create: always", "create: both"))
    odd = str(world.bc.post("items", {"number": "P1", "displayName": "Born there", "gtin": "123"})["id"])
    there = world.shop.post("products", product("P2", gtin="456"))["id"]
    done = world.step("product")
    mine, row = done.finding("product", "no_quarantined_records").rows
    assert [mine["shop_id"], mine["bc_id"], row["shop_id"], row["bc_id"]] == [there, None, None, odd]
    assert row["reason"].startswith("gtin: '123' is not a GTIN")
    told = {item.number: (item.kind, item.bc_id) for item in waiting()}
    assert told == {"P1": (Kind.QUARANTINED, odd), "P2": (Kind.QUARANTINED, None)}
    with known_state(Settings.load()).once() as db:
        total, listed = open_records(db, flows_in(Settings.load().talk_flows_dir)["product"])
    assert (total, {one.number for one in listed}) == (2, {"P1", "P2"})
    world.shop.patch("products", there, {"gtin": None})
    world.bc.patch("items", odd, {"gtin": ""})
    assert world.step("product").finding("product", "no_quarantined_records").verdict == "passed"
    assert len(world.shop.all("products")) == 2
    assert not waiting()
