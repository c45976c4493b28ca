"""An order that is placed, and what may befall it."""

from typing import Any

import pytest

from talk_pipeline.engine.apply import outcomes
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


class Cut(BaseException):
    """The process ends here."""


def cut_short(world: World, monkeypatch: pytest.MonkeyPatch, *flows: str) -> None:
    """A run that ends after its first requests, before any outcome is on disk."""

    def conclude(*_: Any, **__: Any) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(outcomes, "conclude", conclude)
        with pytest.raises(BaseExceptionGroup):
            world.step(*flows)


def placed(world: World) -> tuple[str, str]:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))["id"]
    assert not world.step().failed()
    return placed, item


def lines_of(world: World) -> list[tuple[Any, Any]]:
    (held,) = world.bc.orders().values()
    return sorted((row["quantity"], row["unitPrice"]) for row in held["salesOrderLines"])
