"""An order that is placed, and what may befall it."""

from typing import Any

from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.proof.killing import PLACES, cut, interrupted, surviving
from talk_pipeline_tests.world import World


def cut_short(world: World, *flows: str, at: str = "settle", nth: int = 1) -> None:
    """A run that ends at a place: by default with its first requests sent, and no outcome on disk."""
    with interrupted(PLACES[at], nth, by=cut, ever=True), surviving():
        world.pass_over(*flows)


def placed(world: World) -> tuple[str, str]:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))["id"]
    assert not world.step().failed()
    return placed, item


def lines_of(world: World) -> list[tuple[Any, Any]]:
    (held,) = world.bc.orders().values()
    return sorted((row["quantity"], row["unitPrice"]) for row in held["salesOrderLines"])
