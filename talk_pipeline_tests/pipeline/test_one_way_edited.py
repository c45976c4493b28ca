"""A value that goes one way and is edited where it goes to: it stays, and all who are asked say so and why."""

from pathlib import Path

import pytest

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.audit import audit
from talk_pipeline.settings import Settings
from talk_pipeline_tests.audit.planting import LONG_AGO
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.decisions.test_explain import explain
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

WEBSITE = "website,                     dir: <->"


def told(world: World, flow: str, name: str, shop_id: str, *, source: str) -> None:
    """The same story by the plan, the checklist, `explain` and the audit; nothing is written."""
    run = world.step(full=True)
    assert run.problems == []
    assert run.writes() == 0
    assert world.sql("select 1 from change where property = ?", name) == []
    finding = run.finding(flow, f"property_{name}")
    assert finding.verdict == "warned"
    ((row),) = finding.rows
    assert row["shop_id"] == shop_id
    assert str(row["reason"]).startswith(f"{source} says what it did when the two last agreed, on ")
    document = explain(flow, shop_id)
    (remark,) = document["remarks"]
    assert remark.startswith(f"{name} is {row['shop_value']} in the shop and {row['bc_value']} in ")
    assert document["next_step"] == f"a person decides, nothing is left to write: {remark}"
    try:
        (judged,) = audit(Settings.load(), (flow,))
    except NotAuditableError:
        return
    assert judged.unexplained == []
    (found,) = [one for one in judged.findings if one.property == name]
    assert found.shop_id == shop_id
    assert str(found.reason).startswith(f"{source} says what it did when they met or last agreed")


@variants(
    ("flow", "name", "edit"),
    [("product", "stock", "29"), ("order", "erp_number", "MINE-1"), ("order", "status", "shipped")],
)
def test_what_was_edited_in_the_shop_is_told_alike(world: World, flow: str, name: str, edit: str) -> None:
    if name in world.shop_lacks(flow):
        pytest.skip("this shop has no such value, or takes none")
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product(stock="0"))["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    assert world.step().problems == []
    world.bc.control(f"items/{world.counterpart('product', item)}/stock", {"quantity": 30})
    assert world.step("product", full=True).problems == []
    key = {"product": item, "order": placed}[flow]
    world.shop.patch(f"{flow}s", key, {name: edit})
    told(world, flow, name, key, source="businesscentral")


def test_what_was_edited_in_business_central_is_told_alike(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=(WEBSITE, WEBSITE.replace("<->", "-> ")))
    key = world.shop.post("customers", customer(website="www.ours.example"))["id"]
    assert world.step("customer").problems == []
    world.bc.patch("customers", world.counterpart("customer", key), {"website": "www.theirs.example"})
    told(world, "customer", "website", key, source="customwebshop")
    world.shop.patch("customers", key, {"website": "www.new.example"})
    assert world.step("customer").writes() == 1
    assert explain("customer", key)["remarks"] == []


def test_what_nobody_read_is_not_explained_by_it(world: World) -> None:
    """The source stays, and the target shows what no run has seen: long ago, behind both."""
    item = world.shop.post("products", product(stock="0"))["id"]
    if "stock" in world.shop_lacks("product"):
        pytest.skip("this shop keeps no stock")
    assert world.step("product").problems == []
    world.bc.control(f"items/{world.counterpart('product', item)}/stock", {"quantity": 30})
    assert world.step("product", full=True).problems == []
    world.shop.back_office("PATCH", f"products/{item}", {"stock": "29"}, ago=1e8)
    (judged,) = audit(Settings.load(), ("product",))
    assert [(one.property, one.shop) for one in judged.unexplained] == [("stock", "29")]


def test_what_was_emptied_at_its_source_and_stays_in_the_other_is_told_by_the_audit(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run read that, and a blank is nothing said only where there never was a word."""
    edited_flows(tmp_path, monkeypatch, customer=(WEBSITE, WEBSITE.replace("<->", "->")))
    keys = [
        world.shop.post("customers", customer(f"C{n}", website=website))["id"]
        for n, website in enumerate(("c0.example", ""))
    ]
    assert world.step("customer").problems == []
    world.bc.patch("customers", world.counterpart("customer", keys[1]), {"website": "theirs.example"})
    assert world.step("customer", full=True).problems == []
    world.shop.back_office("PATCH", f"customers/{keys[0]}", {"website": ""}, ago=LONG_AGO)
    try:
        (judged,) = audit(Settings.load(), ("customer",))
    except NotAuditableError:
        pytest.skip("the audit cannot read this shop")
    assert [(one.property, one.shop_id, one.bc) for one in judged.unexplained] == [
        ("website", keys[0], "c0.example")
    ]
