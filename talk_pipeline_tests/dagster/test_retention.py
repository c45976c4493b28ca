"""Dagster's home stays bounded: runs that are too old go with all that is kept of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.execute import execute
from talk_pipeline.dagster.instance import open_home
from talk_pipeline.dagster.retention import prune, prune_runs
from talk_pipeline.run.session import Options
from talk_pipeline.settings import Settings
from talk_pipeline_tests.clocks import ahead
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def size(home: Path) -> int:
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file())


def executions(instance: dg.DagsterInstance) -> Mapping[str, int]:
    """What is known of checks, by run."""
    flows = flows_in()
    found: dict[str, int] = {}
    for key in build_defs(flows).resolve_asset_graph().asset_check_keys:
        for one in instance.event_log_storage.get_asset_check_execution_history(key, limit=100):
            found[one.run_id] = found.get(one.run_id, 0) + 1
    return found


@pytest.mark.slow
def test_what_is_too_old_goes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.shop.post("customers", customer())
    flows = flows_in()
    with open_home(world.data) as instance:
        home = Path(instance.root_directory)
        empty = size(home)
        first = execute(flows, ("customer",), options=Options(), instance=instance).run_id
        once = size(home)
        second = execute(flows, ("customer",), options=Options(), instance=instance).run_id
        assert set(executions(instance)) == {first, second}
        between = instance.get_run_records(dg.RunsFilter(run_ids=[second]))[0].create_timestamp
        assert prune_runs(instance, before=datetime.now(UTC) - timedelta(days=1)) == 0
        assert prune_runs(instance, before=between) == 1
        assert [one.run_id for one in instance.get_runs()] == [second]
        assert set(executions(instance)) == {second}
        assert instance.all_logs(second)
        assert not [file for file in home.rglob("*") if first in file.name]

        monkeypatch.setattr("talk_pipeline.dagster.retention.datetime", ahead(timedelta(days=31)))
        told = prune(Settings.load(), instance)
        assert "older than 30 days: 1 run of Dagster" in told
        assert size(home) < (empty + once) / 2, (empty, once, size(home))
        assert execute(flows, ("customer",), options=Options(), instance=instance).success


def test_the_job_runs_every_night(world: World) -> None:
    world.shop.post("customers", customer())
    world.step("customer")
    defs = build_defs(flows_in())
    schedule = defs.resolve_schedule_def("nightly_prune")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    world.sql("update run set started_at = started_at - interval 500 day")
    world.sql("insert into stage (run_id, flow, name) values ('old', 'customer', 'plan')")
    done = defs.resolve_job_def(schedule.job_name).execute_in_process(instance=world.instance)
    assert done.success
    assert world.sql("select count(*) from stage where run_id = 'old'") == [(0,)]
    assert world.step("customer", full=True).writes() == 0
