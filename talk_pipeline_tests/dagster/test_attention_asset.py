"""The asset of what waits for a person: its table and its numbers are those of the database, in every run's end."""

from typing import Any

import dagster as dg
import pandas as pd

from talk_pipeline.dagster.build import build_defs
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline_tests.dagster.test_shown import _plain
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def latest(world: World) -> dict[str, Any] | None:
    event = world.instance.get_latest_materialization_event(dg.AssetKey(["attention"]))
    if event is None or event.asset_materialization is None:
        return None
    return {name: _plain(value) for name, value in event.asset_materialization.metadata.items()}


def test_it_is_told_after_a_run_of_all_flows(world: World, instance: dg.DagsterInstance) -> None:
    instance.wipe_assets([dg.AssetKey(["attention"])])
    world.shop.post("customers", customer())
    world.sync("customer")
    assert latest(world) is None, "a run of one flow does not look at the others"
    world.sync()
    told = latest(world)
    assert told is not None
    assert (told["dagster/row_count"], told["waiting"]) == (0, [])
    assert {kind: told[kind] for kind in Kind} == dict.fromkeys(Kind, 0)
    assert told["waiting shown"] == "0 of 0; all: talk-pipeline attention"

    for number in range(101):
        world.shop.post("customers", customer(f"Q{number}", currency="DKR"))
    world.sync()
    told = latest(world)
    assert told is not None
    held = world.sql("select shop_id, reason from status where state = 'quarantined' order by since, shop_id")
    assert len(held) == told["quarantined"] == told["dagster/row_count"] == 101
    assert told["waiting shown"].startswith("100 of 101;")
    assert len(told["waiting"]) == 100
    assert {row["reason"] for row in told["waiting"]} == {reason for _, reason in held}
    with known_state(Settings.load()).once() as db:
        items = attention(db, flows_in()).items
    for shown, item in zip(told["waiting"], items[:100], strict=True):
        assert shown == item.row() | {"age": shown["age"]}
    frame = build_defs(flows_in()).load_asset_value(["attention"], instance=instance)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["shop_id"]) == [item.shop_id for item in items]


def test_it_is_told_when_a_run_is_stopped(world: World, instance: dg.DagsterInstance) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    world.step("customer")
    instance.wipe_assets([dg.AssetKey(["attention"])])
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    stopped = world.sync("customer")
    assert not stopped.success
    told = latest(world)
    assert told is not None
    ((reason,),) = world.sql("select stopped from run where stopped is not null")
    (row,) = told["waiting"]
    assert (row["kind"], row["flow"], row["reason"]) == ("stopped", "customer", reason)
    assert told["stopped"] == 1
