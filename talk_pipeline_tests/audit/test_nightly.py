"""The audit as an asset check."""

import warnings

import dagster as dg

from talk_pipeline.dagster.asset_keys import selected_keys, sync_key
from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.jobs import AUDITED, EVERY_NIGHT, EVERYTHING, job_name
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

FLOWS = flows_in()


def test_it_is_a_check_of_the_nightly_run_alone() -> None:
    defs = build_defs(FLOWS)

    def audited(job: str) -> int:
        graph = defs.resolve_job_def(job).asset_layer.asset_graph
        return sum(key.name == AUDITED for key in graph.asset_check_keys)

    assert audited(EVERY_NIGHT) == len(FLOWS)
    assert not any(map(audited, (EVERYTHING, *map(job_name, FLOWS))))
    assert defs.resolve_schedule_def("nightly_full_scan").job_name == EVERY_NIGHT


def test_it_judges_what_the_run_left(world: World, instance: dg.DagsterInstance) -> None:
    world.shop.post("customers", customer())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        job = build_defs(FLOWS).resolve_job_def(EVERY_NIGHT)
        keys = selected_keys(FLOWS, ("customer",))
        result = job.execute_in_process(instance=instance, asset_selection=keys)
    (found,) = [one for one in result.get_asset_check_evaluations() if one.check_name == AUDITED]
    assert found.passed
    assert found.metadata["records"].value == 1
    assert found.metadata["unexplained"].value == 0


def test_a_system_that_is_away_is_not_judged(world: World, instance: dg.DagsterInstance) -> None:
    """By then all is synchronized: the run went well."""
    world.shop.post("customers", customer())
    world.sync("customer")
    world.shop.faults({"match": {}, "fault": {"status": 503}, "times": None})
    key = dg.AssetCheckKey(sync_key(FLOWS["customer"]), AUDITED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = dg.define_asset_job(
            "alone", dg.AssetSelection.checks(key), executor_def=dg.in_process_executor
        )
        defs = dg.Definitions.merge(build_defs(FLOWS), dg.Definitions(jobs=[alone]))
        result = defs.resolve_job_def("alone").execute_in_process(instance=instance)
    (found,) = result.get_asset_check_evaluations()
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(found.description).startswith("not judged: http")
