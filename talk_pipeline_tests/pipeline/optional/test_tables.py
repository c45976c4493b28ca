"""A shop whose only door is its database: the three flows both ways, and nothing twice."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.systems.customwebshop.stores.database import Database
from talk_pipeline_tests.systems.customwebshop.stores.tables import TableShop
from talk_pipeline_tests.world import World


@pytest.fixture
def shop(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TableShop]:
    """Its tables, with a customer, a product and an order that has lines."""
    tables = TableShop(f"sqlite:///{tmp_path / 'shop.db'}")
    leading_to(tables, tmp_path, monkeypatch)
    yield filled(tables)
    tables.engine.dispose()


def leading_to(tables: TableShop, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(tables.described(folder)))
    monkeypatch.setenv("CUSTOMWEBSHOP_DATABASE", tables.url)
    monkeypatch.delenv("CUSTOMWEBSHOP_URL")


def filled(tables: TableShop) -> TableShop:
    now = tables.now()
    named = {"number": "C1", "company_name": "Company C1", "email": "c1@company.example"}
    where = {"street": "Main Street 1", "zip": "1234", "town": "Middelby", "country": "DK"}
    customer = tables.add("customers", **named, **where, updated_at=now)
    products = [
        tables.add("products", sku=f"P{n}", name=f"Product P{n}", price=100, cost=60, updated_at=now)
        for n in range(3)
    ]
    order = tables.add(
        "orders", number="O1", customer=int(customer), placed_at=now, currency="DKK", updated_at=now
    )
    for product in products[:2]:
        tables.add("order_lines", order_id=int(order), product=int(product), quantity=2, unit_price=100)
    return tables


def test_all_three_flows_go_both_ways_and_a_second_run_is_quiet(world: World, shop: TableShop) -> None:
    assert world.sync().problems == []
    central = world.counterpart("customer", "1")
    ordered = world.counterpart("order", "1")
    item = world.counterpart("product", "1")
    assert world.bc.get("customers", central)["city"] == "Middelby"
    lines = lines_of(world, ordered)
    assert sorted((one["lineObjectNumber"], one["quantity"]) for one in lines) == [("P0", 2), ("P1", 2)]

    assert quiet(world)

    # from Business Central: a value of each, one line changed, one gone and one new
    world.bc.patch("customers", central, {"displayName": "Named there", "city": "Byen"})
    world.bc.patch("items", item, {"displayName": "Item named there", "unitPrice": 12.5})
    changed, gone = lines
    world.bc.patch("salesOrderLines", changed["id"], {"quantity": 5})
    world.bc.delete("salesOrderLines", gone["id"])
    third = world.counterpart("product", "3")
    added = {"lineType": "Item", "itemId": third, "quantity": 7, "unitPrice": 3.25}
    world.bc.post(f"salesOrders({ordered})/salesOrderLines", added)
    assert world.step(full=True).problems == []
    row = shop.all("customers")["1"]
    assert (row["company_name"], row["town"], row["loyalty_points"]) == ("Named there", "Byen", 7)
    assert (shop.all("products")["1"]["name"], shop.all("products")["1"]["price"]) == (
        "Item named there",
        12.5,
    )
    held = [
        (str(one["product"]), one["quantity"], one["unit_price"]) for one in shop.all("order_lines").values()
    ]
    kept = "1" if changed["lineObjectNumber"] == "P0" else "2"
    assert sorted(held) == sorted([(kept, 5, 100), ("3", 7, 3.25)])
    assert row["version"] == 2

    # and from the shop
    shop.let_time_pass()
    shop.edit("customers", "1", company_name="Named here")
    (line_id, *_) = shop.all("order_lines")
    shop.edit("order_lines", line_id, quantity=9)
    shop.edit("orders", "1", currency="DKK")
    assert world.step().problems == []
    assert world.bc.get("customers", central)["displayName"] == "Named here"
    assert 9 in [one["quantity"] for one in lines_of(world, ordered)]
    assert quiet(world)


NUMBERED = """
create table numbered_lines (
  order_id integer not null references orders (id), line_no integer not null, product integer not null,
  description varchar(100), unit varchar(10) default 'pcs', quantity numeric not null, unit_price numeric not null,
  primary key (order_id, line_no)
)
"""


def test_lines_that_are_numbered_within_their_order_go_both_ways(
    world: World, shop: TableShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.engine.begin() as db:
        db.exec_driver_sql(NUMBERED)
        db.exec_driver_sql(
            "insert into numbered_lines (order_id, line_no, product, quantity, unit_price)"
            " values (1, 1, 1, 2, 100), (1, 2, 2, 2, 100), (2, 1, 2, 4, 50)"
        )
    shop.add("orders", number="O2", customer=1, placed_at=shop.now(), currency="DKK", updated_at=shop.now())
    described = shop.described(
        tmp_path, order_lines="numbered_lines", **{"lacks: [discount_percent": NUMBERED_BY}
    )
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(described))
    assert world.step().problems == []
    first, second = (world.counterpart("order", order) for order in ("1", "2"))
    assert [len(lines_of(world, order)) for order in (first, second)] == [2, 1]
    assert quiet(world)

    # one is gone, and one comes: in one run, and each in a run of its own
    new = {"lineType": "Item", "itemId": world.counterpart("product", "3"), "unitPrice": 3.25}
    world.bc.delete("salesOrderLines", last_of(world, first))
    world.bc.post(f"salesOrders({first})/salesOrderLines", new | {"quantity": 7})
    assert world.step(full=True).problems == []
    assert numbered(shop, 1) == [(1, 1, 2), (3, 3, 7)]
    world.bc.delete("salesOrderLines", last_of(world, first))
    assert world.step(full=True).problems == []
    world.bc.post(f"salesOrders({first})/salesOrderLines", new | {"quantity": 8})
    assert world.step(full=True).problems == []
    assert (numbered(shop, 1), numbered(shop, 2)) == ([(1, 1, 2), (2, 3, 8)], [(1, 2, 4)])
    assert quiet(world)

    # and the shop's own programs
    shop.let_time_pass()
    with shop.engine.begin() as db:
        db.exec_driver_sql("update numbered_lines set quantity = 9 where order_id = 2 and line_no = 1")
        db.exec_driver_sql("delete from numbered_lines where order_id = 1 and line_no = 2")
    assert world.step(full=True).problems == []
    assert [one["quantity"] for one in lines_of(world, second)] == [9]
    assert [one["quantity"] for one in lines_of(world, first)] == [2]
    assert quiet(world)


NUMBERED_BY = "id: line_no\n        stamps: {line_no: next}\n        lacks: [discount_percent"


def last_of(world: World, order_id: str) -> str:
    return str(max(lines_of(world, order_id), key=lambda line: int(line["sequence"]))["id"])


def numbered(shop: TableShop, order: int) -> list[tuple[int, int, int]]:
    """The lines of an order: their number, product and quantity."""
    with shop.engine.begin() as db:
        rows = db.exec_driver_sql(
            "select line_no, product, quantity from numbered_lines where order_id = ? order by 1", (order,)
        ).all()
    return [(number, product, int(quantity)) for number, product, quantity in rows]


def test_an_edit_between_reading_and_writing_is_kept(
    world: World, shop: TableShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.step("customer").problems == []
    central = world.counterpart("customer", "1")
    world.bc.patch("customers", central, {"displayName": "Named there"})
    carry_out, edited = Database.carry_out, list[int]()

    def after_an_edit(*arguments: Any) -> Any:
        if not edited:
            edited.append(1)
            shop.edit("customers", "1", phone="+45 33 99 99 99")
        return carry_out(*arguments)

    monkeypatch.setattr(Database, "carry_out", after_an_edit)
    assert world.step("customer").problems == []
    assert world.step("customer").problems == []
    row = shop.all("customers")["1"]
    assert (row["company_name"], row["phone"]) == ("Named there", "+45 33 99 99 99")
    assert world.bc.get("customers", central)["phoneNumber"] == "+45 33 99 99 99"


KILLED = """
import os
from talk_pipeline.cli.main import run
from talk_pipeline.systems.customwebshop.stores.database import Database

carry_out = Database.carry_out

def killed(*arguments):
    if {committed}:
        carry_out(*arguments)
    os._exit(9)

Database.carry_out = killed
run()
"""


@pytest.mark.slow
@pytest.mark.parametrize("committed", [True, False], ids=["after it was committed", "before"])
def test_a_run_killed_while_it_creates_makes_nothing_twice(
    world: World, shop: TableShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> None:
    born_there(world, tmp_path, monkeypatch)
    monkeypatch.setattr("talk_pipeline.systems.customwebshop.stores.opening.TRANSACTION_SECONDS", 0)
    program = KILLED.format(committed=committed)
    ended = subprocess.run([sys.executable, "-c", program, "sync", "--flow", "product"], check=False)
    assert ended.returncode == 9
    assert len(shop.all("products")) == 3 + committed
    for _ in range(2):
        assert world.step("product").problems == []
    assert [row["sku"] for row in shop.all("products").values()].count("BORN") == 1
    assert len(shop.all("products")) == 4
    assert len(world.sql("select 1 from link where part = 'product'")) == 4


def test_what_the_database_refuses_is_told_of_that_record_alone(
    world: World, shop: TableShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.step("product").problems == []
    with shop.engine.begin() as db:
        db.exec_driver_sql(
            "create trigger short before update on products when length(new.name) > 20"
            " begin select raise(abort, 'a name has 20 letters'); end"
        )
    world.bc.patch("items", world.counterpart("product", "1"), {"displayName": "longer than twenty letters"})
    world.bc.patch("items", world.counterpart("product", "2"), {"displayName": "short"})
    assert world.step("product").problems == []
    names = [row["name"] for row in shop.all("products").values()]
    assert names == ["Product P0", "short", "Product P2"]
    refused = world.sql("select reason from refusal where flow = 'product'")
    assert "a name has 20 letters" in refused[0][0]


def born_there(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item of Business Central that the shop is to get."""
    from talk_pipeline.flows.loading import PACKAGED

    flows = folder / "flows"
    flows.mkdir()
    for file in PACKAGED.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        if file.stem == "product":
            text = text.replace("create: always", "create: both")
        (flows / file.name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows))
    world.bc.post("items", {"number": "BORN", "displayName": "Born there", "unitPrice": 5})


def lines_of(world: World, order_id: str) -> list[dict[str, Any]]:
    rows = world.bc.all("salesOrderLines", f"?$filter=documentId eq {order_id}").values()
    return [row for row in rows if row["lineType"] == "Item"]


def quiet(world: World) -> bool:
    """Whether a run changes nothing, in Business Central or by its own account."""
    world.forget_requests()
    run = world.step(full=True)
    assert run.problems == []
    return world.writes()["businesscentral"] == 0 and not world.sql("select 1 from change")
