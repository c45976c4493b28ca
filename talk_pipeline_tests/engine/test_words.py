"""Texts are for people: whatever they say, the same is done."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.engine.plan import status
from talk_pipeline.engine.state import journal
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World, opened_world

WORDS = {
    "change": ["hold_reason"],
    "status": ["reason"],
    "refusal": ["reason"],
    "journal": ["reason"],
    "watermark": ["problem"],
}


@contextmanager
def reworded() -> Iterator[None]:
    """Every text for people is another one as soon as it was written down."""
    chance = random.Random(7)

    def reword(db: Connection) -> None:
        for table, columns in WORDS.items():
            for column in columns:
                beginning = chance.choice(["", "waiting: ", "outcome unknown: ", "manual: ", "deferred: "])
                text = f"{beginning}{chance.randrange(10**9)}"
                db.execute(f"update {table} set {column} = ? where {column} is not null", [text])

    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((status, "rewrite_status"), (status, "clear_dirty"), (journal, "note_outcomes")):
            real = getattr(module, name)

            def after(db: Connection, *args: Any, real: Any = real, **more: Any) -> Any:
                done = real(db, *args, **more)
                reword(db)
                return done

            for place in _where_known(real):
                patch.setattr(place, real.__name__, after)
        yield


def _where_known(function: Any) -> list[Any]:
    """Every module that has taken the function by name."""
    import sys

    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("talk_pipeline.") and getattr(module, function.__name__, None) is function
    ]


def played(world: World) -> dict[str, Any]:
    """A little of everything that holds a change back, and what comes of it."""
    shop, bc = world.shop, world.bc
    buyer = shop.post("customers", customer("C1"))["id"]
    item = shop.post("products", product("P1"))["id"]
    shop.post("customers", customer("C2", currency="DKR"))  # quarantined
    shop.post("products", product("P2", category="NOSUCH"))  # refused
    orders = [
        shop.post("orders", order(f"O{n}", buyer, [line(item), line(item, "5")]))["id"] for n in range(3)
    ]
    bc.faults(rule("POST", "customers", drop="after"))
    world.step()
    released = world.counterpart("order", orders[0])
    bc.control(f"sales-orders/{released}/release")
    shop.patch("orders", orders[0], {"requested_delivery_date": "2026-12-01"})  # guarded
    shop.patch("customers", buyer, {"active": False})
    late = shop.post("orders", order("O9", buyer, [line(item)]))["id"]  # goes before its customer is blocked
    bc.patch("items", world.counterpart("product", item), {"displayName": "Renamed there"})
    world.let_time_pass()
    shop.patch("products", item, {"name": "Renamed here"})
    for _ in range(3):
        run = world.step()
    return {
        "run": {name: {k: v for k, v in run[name].items()} for name in ("customer", "product", "order")},
        "states": world.sql("select flow, state, count(*) from status group by all order by all"),
        "holds": world.sql(
            "select flow, hold_kind, property, count(*) from change group by all order by all"
        ),
        "links": world.sql("select part, state, rule, count(*) from link group by all order by all"),
        "journal": world.sql(
            "select part, target, operation, outcome, count(*) from journal group by all order by all"
        ),
        "items": sorted((r["number"], r["displayName"]) for r in bc.all("items").values()),
        "customers": sorted((r["number"], r["blocked"]) for r in bc.all("customers").values()),
        "orders": sorted(
            (r["externalDocumentNumber"], r["status"], len(r["salesOrderLines"]))
            for r in bc.orders().values()
        ),
        "shop": sorted((r["sku"], r["name"]) for r in shop.all("products").values()),
        "late": world.counterpart("order", late) != "",
    }


@pytest.mark.slow
def test_other_words_change_nothing(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    for name in ("plain", "reworded"):
        (tmp_path / name).mkdir()
    with opened_world(tmp_path / "plain", instance=instance) as world:
        plain = played(world)
    with opened_world(tmp_path / "reworded", instance=instance) as world, reworded():
        other = played(world)
    assert other == plain
    kinds = {kind for _, kind, _, _ in plain["holds"]}
    assert {"refused", "guarded"} <= kinds, "the play holds back less than it means to"
