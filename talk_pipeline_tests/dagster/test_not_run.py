"""Checks that a stopped run did not come to: Dagster shows them as not run, and neither failed nor passed."""

import asyncio

from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionResolvedStatus,
)

from talk_pipeline.dagster.build import build_defs
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def checks(world: World, run_id: str) -> dict[str, AssetCheckExecutionRecord]:
    """The latest record of each check, as the UI asks for it, if it is of that run."""
    keys = list(build_defs(flows_in()).resolve_asset_graph().asset_check_keys)
    found = world.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return {key.to_user_string(): one for key, one in found.items() if one.run_id == run_id}


def resolved(world: World, record: AssetCheckExecutionRecord) -> AssetCheckExecutionResolvedStatus:
    return asyncio.run(record.resolve_status(LoadingContextForTest(world.instance)))


def told(record: AssetCheckExecutionRecord) -> tuple[bool, str, str]:
    assert record.evaluation is not None
    one = record.evaluation
    return one.passed, one.severity.value, one.description or ""


def test_what_a_stopped_run_did_not_check_is_told_as_that(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    assert world.step().success
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    stopped = world.sync()
    assert not stopped.success
    found = checks(world, stopped.run_id)
    assert not [key for key, one in found.items() if one.event is None]
    failed = [key for key, one in found.items() if told(one)[:2] == (False, "ERROR")]
    assert failed == ["diffs/customer:change_volume_safe"]
    not_run = {key: told(one) for key, one in found.items() if told(one)[2].startswith("did not run")}
    assert {key.partition(":")[0] for key in not_run} == {"sync/customer", "sync/order", "diffs/order"}
    assert {(passed, severity) for passed, severity, _ in not_run.values()} == {(False, "WARN")}
    ((reason,),) = world.sql("select stopped from run where flow = 'customer' and stopped is not null")
    assert reason in not_run["sync/customer:property_website"][2]
    assert f"it waits for customer, which was stopped: {reason}" in not_run["sync/order:property_status"][2]
    assert told(found["sync/product:property_name"])[0], "what does not wait for it is checked"
    states = {resolved(world, one) for one in found.values()}
    assert AssetCheckExecutionResolvedStatus.EXECUTION_FAILED not in states
    assert AssetCheckExecutionResolvedStatus.SKIPPED not in states

    approved = world.sync("customer", approve=True)
    assert approved.success
    assert told(checks(world, approved.run_id)["sync/customer:property_website"])[0]


def test_what_broke_off_is_told_likewise(world: World) -> None:
    world.shop.post("customers", customer())
    world.sync("customer")
    world.shop.faults({"match": {"path": "customers"}, "fault": {"status": 503}, "times": 1000})
    broken = world.sync("customer", full=True)
    assert not broken.success
    found = checks(world, broken.run_id)
    behind = {key: one for key, one in found.items() if key.startswith(("sync/customer:", "diffs/customer:"))}
    assert len(behind) > 20
    for one in behind.values():
        passed, severity, description = told(one)
        assert (passed, severity) == (False, "WARN")
        assert description.startswith("did not run: the run broke off: ")
