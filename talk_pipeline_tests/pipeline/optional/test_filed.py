"""A shop whose only door is a folder of files: the three flows both ways, awaited and never told twice."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.pipeline.optional.test_tables import lines_of, quiet
from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import (
    LINES,
    FileShop,
    answers,
    connected,
    one,
)
from talk_pipeline_tests.systems.customwebshop.stores.nested_shops import JsonShop, XmlShop
from talk_pipeline_tests.systems.customwebshop.stores.sftp_server import SftpServer
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

ENTER = "at: CUSTOMWEBSHOP_FILES # the variable that holds the folder"
BY_SFTP = {
    ENTER: f"{ENTER}\n  user: SHOP_USER\n  password: SHOP_PASSWORD\n  host_key: SHOP_HOST_KEY",
}


@pytest.fixture
def shop(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileShop:
    return connected(FileShop(tmp_path / "exchange"), tmp_path, monkeypatch)


def waits(world: World, shop: FileShop, flow: str) -> None:
    """It is awaited, by name, and nothing is told a second time."""
    there = shop.waiting()
    assert there
    run = world.step(full=True)
    assert run.problems == []
    assert not run.failed()
    assert run.finding(flow, "writes_answered").verdict == "warned"
    assert run[flow]["failed"] == 0
    assert shop.waiting() == there


def edit_lines_there(world: World, shop: FileShop, order: str) -> tuple[str, str]:
    """One line changed, one gone and one new; returns the products of the first and the last."""
    changed, gone = lines_of(world, order)
    world.bc.patch("salesOrderLines", changed["id"], {"quantity": 5})
    world.bc.delete("salesOrderLines", gone["id"])
    kept, new = (one(shop, "products", sku=sku)["id"] for sku in (changed["lineObjectNumber"], "P2"))
    added = {
        "lineType": "Item",
        "itemId": world.counterpart("product", new),
        "quantity": 7,
        "unitPrice": 3.25,
    }
    world.bc.post(f"salesOrders({order})/salesOrderLines", added)
    return kept, new


def settled(world: World, shop: FileShop, *flows: str) -> None:
    """What was told is done, and what followed from what came back; there is nothing more to tell."""
    while True:
        answers(shop)
        run = world.step(*flows, full=True)
        assert run.problems == []
        assert not run.failed()
        if not shop.waiting():
            break
    assert world.sql("select reason from journal where coalesce(outcome, 'unknown') = 'unknown'") == []
    assert not world.sql("select 1 from change")


def test_all_three_flows_go_both_ways_and_a_second_run_is_quiet(world: World, shop: FileShop) -> None:
    run = world.step()
    assert run.problems == []
    assert not run.failed()
    customer, order = one(shop, "customers", number="C1")["id"], one(shop, "orders", number="O1")["id"]
    central, ordered = world.counterpart("customer", customer), world.counterpart("order", order)
    assert world.bc.get("customers", central)["city"] == "Middelby"
    assert sorted((line["lineObjectNumber"], line["quantity"]) for line in lines_of(world, ordered)) == [
        ("P0", 2),
        ("P1", 2),
    ]
    waits(world, shop, "order")
    settled(world, shop)
    assert shop.rows["orders"][order]["erp_number"] == world.bc.get("salesOrders", ordered)["number"]

    # from Business Central: a value of each, one line changed, one gone and one new
    item = world.counterpart("product", one(shop, "products", sku="P0")["id"])
    world.bc.patch("customers", central, {"displayName": "Named; there", "city": "Byen"})
    world.bc.patch("items", item, {"displayName": "Item named there", "unitPrice": 12.5})
    kept, new = edit_lines_there(world, shop, ordered)
    run = world.step(full=True)
    assert run.problems == []
    assert not run.failed()
    assert len(shop.waiting()) == 4, "one for each record, and the lines of the order"
    settled(world, shop)
    row = shop.rows["customers"][customer]
    assert (row["company_name"], row["town"], row["email"]) == ("Named; there", "Byen", "c1@company.example")
    assert one(shop, "products", sku="P0")["name"] == "Item named there"
    held = {line["product"]: float(line["quantity"]) for line in shop.rows[LINES].values()}
    assert held == {kept: 5, new: 7}

    # and from the shop
    shop.edit("customers", customer, company_name="Named here")
    line = one(shop, LINES, product=kept)["id"]
    shop.edit(LINES, line, quantity="9")
    shop.edit("orders", order)
    shop.export()
    assert world.step().problems == []
    assert world.bc.get("customers", central)["displayName"] == "Named here"
    assert 9 in [one["quantity"] for one in lines_of(world, ordered)]
    settled(world, shop)
    assert quiet(world)
    assert shop.waiting() == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [JsonShop, XmlShop], ids=["JSON lines", "XML"])
def test_lines_may_lie_in_their_order(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[FileShop]
) -> None:
    shop = connected(kind(tmp_path / "exchange"), tmp_path, monkeypatch)
    assert check_configuration() == 0
    assert world.step().problems == []
    settled(world, shop)
    order = one(shop, "orders", number="O1")["id"]
    ordered = world.counterpart("order", order)
    kept, new = edit_lines_there(world, shop, ordered)
    assert world.step(full=True).problems == []
    assert [file.partition("-")[0] for file in shop.waiting()] == ["orders"]
    settled(world, shop)
    assert {line["product"]: float(line["quantity"]) for line in shop.lines_of(order)} == {kept: 5, new: 7}
    shop.edit(LINES, one(shop, LINES, product=kept)["id"], quantity="9")
    shop.edit("orders", order)
    shop.export()
    assert world.step().problems == []
    assert 9 in [line["quantity"] for line in lines_of(world, ordered)]
    settled(world, shop)
    assert quiet(world)


def moved(file: Path) -> None:
    (file.parent / "done").mkdir(exist_ok=True)
    file.rename(file.parent / "done" / file.name)


LEFT = {
    "where it was": lambda file: None,
    "in a folder within": moved,
    "with another name": lambda file: file.rename(file.with_name(f"{file.name}.imported")),
}


@variants("left", [*LEFT])
def test_what_the_shop_took_may_stay_as_it_likes(world: World, shop: FileShop, left: str) -> None:
    shop.leaves = LEFT[left]
    assert world.step("customer").problems == []
    customer = one(shop, "customers", number="C1")["id"]
    central = world.counterpart("customer", customer)
    for name in ("First", "Second"):
        world.bc.patch("customers", central, {"displayName": name})
        assert world.step("customer").problems == []
        answers(shop)
        run = world.step("customer")
        assert run.problems == []
        assert not run.failed()
        assert shop.rows["customers"][customer]["company_name"] == name
    assert len(shop.taken) == 2
    there = {file.name for file in shop.folder.rglob("*")}
    assert world.step("customer", full=True).writes() == 0
    assert {file.name for file in shop.folder.rglob("*")} == there, "nothing is told again"


def test_an_edit_while_a_write_is_awaited_goes_after_it_is_answered(world: World, shop: FileShop) -> None:
    assert world.step("customer").problems == []
    customer = one(shop, "customers", number="C1")["id"]
    central = world.counterpart("customer", customer)
    world.bc.patch("customers", central, {"displayName": "First"})
    assert world.step("customer").problems == []
    (told,) = shop.waiting()
    world.bc.patch("customers", central, {"displayName": "Second", "city": "Byen"})
    run = world.step("customer")
    assert run.problems == []
    assert shop.waiting() == [told]
    reasons = [reason for (reason,) in world.sql("select distinct hold_reason from change")]
    assert reasons
    assert all(f"put as in/{told}, and awaited until the shop's export shows it" in one for one in reasons)
    answers(shop)
    assert shop.rows["customers"][customer]["company_name"] == "First"
    assert world.step("customer").problems == []
    answers(shop)
    assert world.step("customer").problems == []
    row = shop.rows["customers"][customer]
    assert (row["company_name"], row["town"]) == ("Second", "Byen")
    assert len(shop.taken) == 2


def test_what_the_shop_refuses_is_told_of_that_record_alone(world: World, shop: FileShop) -> None:
    assert world.step("product").problems == []
    settled(world, shop, "product")
    shop.refuses = lambda row: "a name has 20 letters" if len(row["name"]) > 20 else None
    for sku, name in (("P0", "longer than twenty letters"), ("P1", "short")):
        item = world.counterpart("product", one(shop, "products", sku=sku)["id"])
        world.bc.patch("items", item, {"displayName": name})
    assert world.step("product").problems == []
    answers(shop)
    assert world.step("product").problems == []
    assert sorted(row["name"] for row in shop.rows["products"].values()) == [
        "Product P0",
        "Product P2",
        "short",
    ]
    ((reason,),) = world.sql("select reason from refusal where flow = 'product'")
    assert reason.endswith(": a name has 20 letters")
    assert world.step("product").problems == []
    assert shop.waiting() == [], "it is not told again"


def test_a_half_written_export_is_no_shop_without_records(world: World, shop: FileShop) -> None:
    assert world.step("product").problems == []
    before = world.sql("select count(*) from snapshot where gone is null")
    file = shop.newest("products")
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], whole[: whole.index(b"\n") + 1], b""):
        file.write_bytes(content)
        run = world.step("product", full=True)
        assert len(run.problems) == 1
        assert "products" in run.problems[0]
        assert world.sql("select count(*) from snapshot where gone is null") == before
    file.unlink()
    assert "no whole file" in world.step("product", full=True).problems[0]
    shop.export("products")
    assert world.step("product", full=True).problems == []


def test_the_same_by_sftp(
    world: World, shop: FileShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SftpServer(shop.folder) as server:
        monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(shop.described(tmp_path, **BY_SFTP)))
        monkeypatch.setenv("CUSTOMWEBSHOP_FILES", server.url)
        for name, value in (
            ("SHOP_USER", server.user),
            ("SHOP_PASSWORD", server.password),
            ("SHOP_HOST_KEY", server.known_as),
        ):
            monkeypatch.setenv(name, value)
        assert world.step("customer").problems == []
        customer = one(shop, "customers", number="C1")["id"]
        world.bc.patch("customers", world.counterpart("customer", customer), {"displayName": "Named there"})
        assert world.step("customer").problems == []
        assert len(shop.waiting()) == 1
        answers(shop)
        assert world.step("customer").problems == []
        assert shop.rows["customers"][customer]["company_name"] == "Named there"
        monkeypatch.setenv("SHOP_PASSWORD", "wrong-and-long-enough")
        (problem,) = world.step("customer").problems
        assert "lets nobody in by SHOP_USER and SHOP_PASSWORD" in problem
        assert "wrong-and-long-enough" not in problem


def test_a_shop_that_is_only_read_is_written_nothing(
    world: World,
    shop: FileShop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (file := shop.described(tmp_path)).read_text(encoding="utf-8")
    start, end = text.index("  put:"), text.index("\nmodified:")
    file.write_text(text[:start] + text[end:], encoding="utf-8")
    assert check_configuration() == 0
    assert "nothing is ever written: the description says no `files.put`" in capsys.readouterr().out
    assert world.step().problems == []
    world.bc.patch(
        "customers",
        world.counterpart("customer", one(shop, "customers", number="C1")["id"]),
        {"displayName": "No"},
    )
    run: Any = world.step(full=True)
    assert run.problems == []
    assert shop.waiting() == []
