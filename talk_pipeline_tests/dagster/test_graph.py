"""The asset graph as Dagster sees it, and real runs of parts of it."""

import shutil
import warnings
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from talk_pipeline.dagster.asset_checks import flow_checks
from talk_pipeline.dagster.asset_keys import selected_keys, sync_key
from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.jobs import AUDITED, EVERY_NIGHT, EVERYTHING, RESOURCE, job_name
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.flows.loading import PACKAGED
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.flow_files import copied_flows, flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

FLOWS = flows_in()
RAW = {
    "customwebshop/customer",
    "customwebshop/product",
    "customwebshop/order",
    "businesscentral/customers_company",
    "businesscentral/items",
    "businesscentral/salesorders",
}


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs(FLOWS)


def test_it_loads_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dg.Definitions.validate_loadable(build_defs(FLOWS))


def test_the_assets(defs: dg.Definitions) -> None:
    keys = {"/".join(spec.key.path) for spec in defs.resolve_all_asset_specs()}
    made = {f"{layer}/{flow}" for layer in ("links", "diffs", "sync") for flow in FLOWS}
    systems = {f"systems/{side}" for side in Side}
    assert keys == systems | RAW | made | {"attention"}


def test_orders_wait_for_what_they_refer_to(defs: dg.Definitions) -> None:
    specs = {"/".join(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}
    upstream = {"/".join(dep.asset_key.path) for dep in specs["links/order"].deps}
    assert upstream == {
        "customwebshop/order",
        "businesscentral/salesorders",
        "sync/customer",
        "sync/product",
    }


def test_what_another_flow_may_make_in_the_same_set_is_there_before_that_is_read(tmp_path: Path) -> None:
    """A guest may have an account that this very run carries over; a person is no company."""
    folder = copied_flows(tmp_path / "flows")
    for name in ("guest", "customer_person"):
        shutil.copy(PACKAGED / "optional" / f"{name}.yaml", folder)
    flows = flows_in(folder)
    specs = {"/".join(spec.key.path): spec for spec in build_defs(flows).resolve_all_asset_specs()}
    upstream = {
        name: {"/".join(dep.asset_key.path) for dep in specs[name].deps}
        - {f"systems/{side}" for side in Side}
        for name in specs
        if name.split("/")[0] in [*map(str, Side)]
    }
    assert {name: found for name, found in upstream.items() if found} == {
        "businesscentral/customers_guest": {"sync/customer"}
    }


def test_every_asset_explains_itself(defs: dg.Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.group_name in {*Side, "links", "diffs", "sync", "attention"}
        assert spec.kinds
        if spec.key.path[0] in ("links", "diffs") or "/".join(spec.key.path) in RAW:
            assert spec.metadata["dagster/column_schema"].columns


def test_a_box_and_the_name_in_it_tell_each_node_apart(defs: dg.Definitions) -> None:
    """Zoomed out, a node shows the last word of its key and nothing else, in the box of its group."""
    specs = list(defs.resolve_all_asset_specs())
    shown = [(spec.group_name, spec.key.path[-1]) for spec in specs]
    assert len(shown) == len(set(shown)) > 15
    for spec in specs:
        if len(spec.key.path) > 1 and spec.key.path[0] != "systems":
            assert [spec.group_name, spec.key.path[-1]] == spec.key.path
            assert spec.tags["flow"] in FLOWS


def test_the_checklist_is_generated_from_the_flows(defs: dg.Definitions) -> None:
    found = {(key.asset_key, key.name) for key in defs.resolve_asset_graph().asset_check_keys}
    for flow in FLOWS.values():
        names = [check.name for check in checks(flow) if check.stage == "sync"]
        assert {name for asset, name in found if asset == sync_key(flow)} == {*names, AUDITED}
        properties = sum(len(part.properties) for part in flow.parts)
        assert sum(name.startswith("property_") for name in names) == properties


def test_blocking_checks_block(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {"complete_and_fresh", "not_restored", "change_volume_safe"}


def test_what_blocks_is_one_step_a_stage_and_the_rest_one_a_flow() -> None:
    for flow in FLOWS.values():
        found = {step.op.name: len(list(step.check_keys)) for step in flow_checks(flow)}
        assert list(found.values()) == [2, 2, 1, len(checks(flow)) - 5]
        assert list(found)[2:] == [f"diffs__{flow.name}__blocking", f"checklist_{flow.name}"]


def test_jobs_and_schedule(defs: dg.Definitions) -> None:
    assert {f"sync_{flow}" for flow in FLOWS} | {EVERYTHING} <= {
        job.name for job in defs.resolve_all_job_defs()
    }
    schedule = defs.resolve_schedule_def("nightly_full_scan")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_the_launchpad_opens_with_every_key_of_a_run_as_it_is_without(defs: dg.Definitions) -> None:
    without = {"full": False, "dry_run": False, "approve": False, "restored": "", "undo": ""}
    assert set(Pipeline.model_fields) == set(without)
    assert all(field.description for field in Pipeline.model_fields.values())
    for job in (EVERYTHING, *(job_name(flow) for flow in FLOWS)):
        assert defs.resolve_job_def(job).run_config == {"resources": {RESOURCE: {"config": without}}}
    by_night = {"resources": {RESOURCE: {"config": without | {"full": True}}}}
    assert defs.resolve_job_def(EVERY_NIGHT).run_config == by_night


def test_a_job_of_one_flow_reads_what_it_refers_to_and_writes_only_its_own() -> None:
    keys = {"/".join(key.path) for key in selected_keys(FLOWS, ("order",))}
    assert {"customwebshop/customer", "links/product", "sync/order"} <= keys
    assert "sync/customer" not in keys


@pytest.mark.parametrize("job", ["sync_customer", EVERYTHING])
def test_jobs_run_as_the_ui_starts_them(
    world: World, defs: dg.Definitions, instance: dg.DagsterInstance, job: str
) -> None:
    world.shop.post("customers", customer())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = defs.resolve_job_def(job).execute_in_process(instance=instance)
    assert result.success
    assert len(world.bc.all("customers")) == 1
    metadata = result.asset_materializations_for_node("sync__customer.settle_customer")[0].metadata
    assert metadata["businesscentral create"].value == 1


def test_the_guard_holds_when_only_the_sink_is_materialized(
    world: World, defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    """A blocking check counts within its own run only."""
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    world.step("customer")
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    assert not world.sync("customer").success
    job = defs.resolve_job_def(EVERYTHING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["sync", "customer"])], raise_on_error=False
        )
        assert not alone.success
        assert not world.bc.all("customers", "?$filter=website eq 'www.wrong.example'")
        config = {"resources": {RESOURCE: {"config": {"approve": True}}}}
        approved = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(["sync", "customer"])],
            run_config=config,
        )
    assert approved.success
    assert len(world.bc.all("customers", "?$filter=website eq 'www.wrong.example'")) == 30


def frame(defs: dg.Definitions, key: list[str], *, instance: dg.DagsterInstance) -> pd.DataFrame:
    loaded = defs.load_asset_value(key, instance=instance)
    assert isinstance(loaded, pd.DataFrame)
    return loaded


def test_assets_load_as_frames(world: World, defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.sync("customer", dry_run=True)
    planned = frame(defs, ["diffs", "customer"], instance=instance)
    assert set(planned["operation"]) == {"create"}
    world.sync("customer")
    links = frame(defs, ["links", "customer"], instance=instance)
    assert list(links["shop_id"]) == [buyer]
    journal = frame(defs, ["sync", "customer"], instance=instance)
    assert list(journal["outcome"]) == ["done"]
    held = frame(defs, ["customwebshop", "customer"], instance=instance)
    assert list(held["id"]) == [buyer]
