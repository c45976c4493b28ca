"""Faults of the two servers, records that meet them, and what must hold when they are over."""

from typing import Any

from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.world import World


def rule(method: str, path: str, *, times: int | None = 1, nth: int = 1, **fault: Any) -> Row:
    """A fault of a sandbox server, for the n-th such requests."""
    return {"match": {"method": method, "path": path, "nth": nth}, "fault": fault, "times": times}


def seeded(world: World, orders: int = 1) -> tuple[str, list[str]]:
    """Orders of two lines in the shop, and their buyer; nothing is synchronized."""
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = [
        world.shop.post("orders", order(f"O{n}", buyer, [line(item), line(item, "5", "20.00")]))["id"]
        for n in range(orders)
    ]
    return buyer, placed


def settled(world: World, *, orders: int) -> None:
    """After two runs without faults: one counterpart each, nothing left to do."""
    for api in (world.shop, world.bc):
        api.no_faults()
    for _ in range(2):
        run = world.step(full=True)
        assert run.success, run.problems
    assert not run.failed()
    assert run.writes() == 0
    numbers = [row["externalDocumentNumber"] for row in world.bc.orders().values()]
    assert sorted(numbers) == sorted(f"O{n}" for n in range(orders))
    assert len(world.bc.all("customers")) == 1
    assert len(world.bc.all("items")) == 1
    for row in world.shop.all("orders").values():
        assert row["erp_number"]
