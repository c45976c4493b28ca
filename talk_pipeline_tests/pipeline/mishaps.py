"""An order that is placed, and what may befall it."""

from collections.abc import Callable
from typing import Any

import pytest

from talk_pipeline.engine.state import journal
from talk_pipeline_tests.pipeline.by_hand import bc_customer
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.proof.killing import PLACES, cut, interrupted, surviving
from talk_pipeline_tests.world import World


def cut_short(world: World, *flows: str, at: str = "settle", nth: int = 1) -> None:
    """A run that ends at a place: by default with its first requests sent, and no outcome on disk."""
    with interrupted(PLACES[at], nth, by=cut, ever=True), surviving():
        world.pass_over(*flows)


def one_of_two_lost(world: World, vat: str) -> tuple[str, str, str]:
    """Two customers of Business Central with one VAT number, and what the first became in the shop.

    The answer to that create was lost, and somebody edited what it made before the second one was there.

    Returns:
        The first, what it became, and the second.
    """
    first = bc_customer(world, "C1", taxRegistrationNumber=vat)
    cut_short(world, "customer")
    (made,) = world.shop.all("customers")
    world.shop.patch("customers", made, {"phone": "+45 44 44 44 44"})
    world.step("customer")
    second = bc_customer(world, "C2", taxRegistrationNumber=vat)
    world.step("customer")
    return first, made, second


def edited_before_intending(patch: pytest.MonkeyPatch, edit: Callable[[], object]) -> None:
    """Somebody edits once what a run has read already, just before it notes what it is going to write."""
    real = journal.intend

    def intend(*args: Any, **more: Any) -> None:
        patch.setattr(journal, "intend", real)
        edit()
        real(*args, **more)

    patch.setattr(journal, "intend", intend)


def placed(world: World) -> tuple[str, str]:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))["id"]
    assert not world.step().failed()
    return placed, item


def lines_of(world: World) -> list[tuple[Any, Any]]:
    (held,) = world.bc.orders().values()
    return sorted((row["quantity"], row["unitPrice"]) for row in held["salesOrderLines"])
