"""Several companies in Dagster: partitions of one graph, real runs of three of them on one instance."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.dagster import company_sensors
from talk_pipeline.dagster.alerts import Memory, look
from talk_pipeline.dagster.asset_keys import selected_keys, sync_key
from talk_pipeline.dagster.build import build_all
from talk_pipeline.dagster.execute import problems
from talk_pipeline.dagster.instance import open_home, prepare_home
from talk_pipeline.dagster.jobs import EVERY_NIGHT, EVERYTHING
from talk_pipeline.settings import Settings
from talk_pipeline_tests.clocks import ahead
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.several import Companies, opened_companies

pytestmark = pytest.mark.xdist_group("companies")
NAMES = ("berlin", "oslo", "rome")
BROKEN = {"match": {}, "fault": {"status": 503, "retry_after": 0}, "times": None}


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Iterator[Companies]:
    """One customer in each shop; rome synchronizes customers alone."""
    folder = tmp_path_factory.mktemp("companies")
    with (
        pytest.MonkeyPatch.context() as patch,
        opened_companies(folder, *NAMES, instance=instance, patch=patch) as opened,
    ):
        patch.setenv("TALK_POLL_SECONDS", "0")
        for name, world in opened.items():
            world.shop.post("customers", customer(f"C-{name}"))
        opened.said["rome"]["flows"] = ["customer"]
        opened.said["oslo"] |= {"schedule": "30 1 * * *", "queue": "north"}
        opened.write()
        yield opened


@pytest.fixture(scope="module")
def defs(companies: Companies) -> dg.Definitions:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = build_all(Settings.load())
        dg.Definitions.validate_loadable(made)
    return made


def launch(
    defs: dg.Definitions, instance: dg.DagsterInstance, request: dg.RunRequest, *, job: str = EVERYTHING
) -> dg.ExecuteInProcessResult:
    """A run as the daemon would have it made."""
    return defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=request.partition_key,
        asset_selection=list(request.asset_selection or ()) or None,
        run_config=request.run_config or None,
        tags=dict(request.tags),
        raise_on_error=False,
    )


class Watch:
    """The sensor of the shops, which remembers its cursor."""

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self.defs, self.instance = defs, instance
        self.cursor: str | None = None
        self.skipped = ""

    def tick(self) -> dict[str, dg.RunRequest]:
        """What one tick asks for, by company."""
        sensor = self.defs.resolve_sensor_def("customwebshop_changes")
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=self.defs
        ) as context:
            told = sensor.evaluate_tick(context)
        self.cursor, self.skipped = told.cursor or self.cursor, told.skip_message or ""
        return {str(one.partition_key): one for one in told.run_requests or ()}


@pytest.fixture(scope="module")
def watch(defs: dg.Definitions, instance: dg.DagsterInstance) -> Watch:
    return Watch(defs, instance)


@pytest.fixture(scope="module")
def first(watch: Watch) -> dict[str, dg.RunRequest]:
    """What the first tick asks for."""
    return watch.tick()


@pytest.fixture(scope="module")
def runs(
    defs: dg.Definitions, instance: dg.DagsterInstance, first: dict[str, dg.RunRequest]
) -> dict[str, dg.ExecuteInProcessResult]:
    """Those runs."""
    return {name: launch(defs, instance, request) for name, request in first.items()}


def test_the_graph_is_that_of_one_company(defs: dg.Definitions, companies: Companies) -> None:
    graph, flows = defs.resolve_asset_graph(), flows_in()
    made = [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] != "systems"]
    assert len(made) == 5 * len(flows) + 1
    for spec in made:
        assert spec.partitions_def is not None
        assert spec.partitions_def.get_partition_keys() == list(NAMES)
    assert {graph.get_check_spec(key).partitions_def for key in graph.asset_check_keys} == {
        dg.StaticPartitionsDefinition(list(NAMES))
    }
    assert len(list(defs.resolve_asset_graph().asset_check_keys)) > 100


def test_a_tick_asks_for_a_run_of_each_company_once(
    companies: Companies, watch: Watch, first: dict[str, dg.RunRequest], runs: dict[str, Any]
) -> None:
    assert set(first) == set(NAMES)
    assert len({one.run_key for one in first.values()}) == len(NAMES)
    assert set(first["rome"].asset_selection or ()) == set(selected_keys(flows_in(), ("customer",)))
    assert first["oslo"].tags["dagster-celery/queue"] == "north"
    assert "dagster-celery/queue" not in first["berlin"].tags
    assert watch.tick() == {}, "what the runs wrote is nothing new"
    assert "nothing to do in customwebshop of 3 companies" in watch.skipped
    world = companies["oslo"]
    (buyer,) = world.shop.all("customers")
    world.shop.patch("customers", buyer, {"website": "www.new.example"})
    assert set(watch.tick()) == {"oslo"}


def test_runs_and_verdicts_are_a_companys_own(
    companies: Companies, instance: dg.DagsterInstance, runs: dict[str, Any]
) -> None:
    flow = flows_in()["customer"]
    for name, world in companies.items():
        assert runs[name].success
        ((run_id,),) = world.sql("select distinct run_id from run")
        assert run_id == runs[name].run_id
        (there,) = world.bc.all("customers").values()
        assert there["displayName"] == f"Company C-{name}"
        kept = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=sync_key(flow), asset_partitions=[name]), limit=1
        )
        assert kept.records[0].run_id == run_id
        judged = runs[name].get_asset_check_evaluations()
        assert {one.partition for one in judged} == {name}
        assert len([one for one in judged if one.asset_key == sync_key(flow)]) > 10
    assert not companies["rome"].sql("select 1 from run where flow <> 'customer'")


def test_what_a_company_does_not_synchronize_is_refused(
    defs: dg.Definitions, instance: dg.DagsterInstance, runs: dict[str, Any]
) -> None:
    done = defs.resolve_job_def("sync_product").execute_in_process(
        instance=instance, partition_key="rome", raise_on_error=False
    )
    assert not done.success
    told = problems(done)
    assert "company rome does not synchronize product: choose assets of customer" in told


def test_a_company_that_something_is_wrong_with_stops_itself_alone(
    companies: Companies,
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    runs: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = Watch(defs, instance)
    watch.tick()
    try:
        companies.write(oslo={"settings": {"TALK_POLL_SECONDS": "often"}}, paris={})
        companies["rome"].shop.faults(BROKEN)
        (buyer,) = companies["berlin"].shop.all("customers")
        companies["berlin"].shop.patch("customers", buyer, {"website": "www.goes.on.example"})
        assert set(watch.tick()) == {"berlin"}
        assert "company oslo: TALK_POLL_SECONDS" in capsys.readouterr().err, "though a run was asked for"
        watch.tick()
        assert watch.tick() == {}
        assert "company oslo: TALK_POLL_SECONDS" in watch.skipped
        assert "rome: Customwebshop" in watch.skipped
        assert "paris: is new in the file: reload the code location" in watch.skipped
        done = defs.resolve_job_def(EVERYTHING).execute_in_process(
            instance=instance, partition_key="oslo", raise_on_error=False
        )
        assert not done.success
        assert "company oslo: TALK_POLL_SECONDS" in problems(done)[0]
        companies["rome"].shop.no_faults()
        with monkeypatch.context() as patch:
            patch.setattr(company_sensors, "datetime", ahead(-timedelta(hours=1)))
            watch.tick()
        assert "rome: Customwebshop" not in watch.skipped, (
            "it is left alone for a minute, whatever clocks say"
        )
    finally:
        companies["rome"].shop.no_faults()
        companies.write()


def test_one_schedule_a_time_of_day(
    defs: dg.Definitions, instance: dg.DagsterInstance, companies: Companies
) -> None:
    asked, at = {}, datetime(2026, 1, 31, 3, tzinfo=UTC)
    for name in ("nightly_full_scan", "full_scan_30_1_x_x_x"):
        schedule = defs.resolve_schedule_def(name)
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        with dg.build_schedule_context(
            instance=instance, scheduled_execution_time=at, repository_def=defs.get_repository_def()
        ) as context:
            asked[name] = {
                str(one.partition_key): one for one in schedule.evaluate_tick(context).run_requests or ()
            }
    assert {name: set(one) for name, one in asked.items()} == {
        "nightly_full_scan": {"berlin", "rome"},
        "full_scan_30_1_x_x_x": {"oslo"},
    }
    done = launch(defs, instance, asked["nightly_full_scan"]["rome"], job=EVERY_NIGHT)
    assert done.success
    audited = [one for one in done.get_asset_check_evaluations() if one.check_name == "audited"]
    assert [(one.partition, one.passed) for one in audited] == [("rome", True)]


def test_alerts_are_a_companys_own(companies: Companies, defs: dg.Definitions, tmp_path: Path) -> None:
    begun = datetime.now(UTC)
    companies["oslo"].shop.faults(BROKEN)
    with open_home(tmp_path, several=True) as home:
        try:
            broken = defs.resolve_job_def("sync_customer").execute_in_process(
                instance=home, partition_key="oslo", raise_on_error=False
            )
        finally:
            companies["oslo"].shop.no_faults()
        told = {name: look(home, flows_in(), Memory(begun), now=begun, company=name)[0] for name in NAMES}
    message = told["oslo"]
    assert message is not None
    assert message.title.startswith("talk_pipeline, oslo: ")
    assert f"run {broken.run_id[:8]} of customer broke off" in message.body
    assert [told["berlin"], told["rome"]] == [None, None]


def test_runs_go_side_by_side_but_for_those_of_one_company(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("home")
    with dg.DagsterInstance.from_config(str(prepare_home(folder, several=True))) as instance:
        limits = instance.get_concurrency_config().run_queue_config
        assert limits is not None
        assert limits.max_concurrent_runs > 1
        assert limits.tag_concurrency_limits == [
            {"key": "dagster/partition", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
        ]
    with dg.DagsterInstance.from_config(str(prepare_home(folder))) as instance:
        limits = instance.get_concurrency_config().run_queue_config
        assert limits is not None
        assert (limits.max_concurrent_runs, limits.tag_concurrency_limits) == (1, [])
