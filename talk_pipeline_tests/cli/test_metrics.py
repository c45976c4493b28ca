"""Metrics: every number that Prometheus is told is that of a database, or of what the limits counted."""

import sys
from collections.abc import Iterator
from datetime import UTC

import dagster as dg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from talk_pipeline.cli import metrics
from talk_pipeline.cli.metrics import Standings, serving
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.several import WINDOWS, Companies, counted_of, opened_companies

pytestmark = pytest.mark.xdist_group("companies")
NAMES = ("berlin", "oslo", "rome")
LABELS = ("company", "flow", "kind", "system", "application")
Told = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Iterator[Companies]:
    """Of rome nothing ran yet; in berlin a record waits for a person."""
    folder = tmp_path_factory.mktemp("metrics")
    with (
        pytest.MonkeyPatch.context() as patch,
        opened_companies(folder, *NAMES, instance=instance, patch=patch) as opened,
    ):
        opened["berlin"].shop.post("customers", customer("Q1", currency="DKR"))
        for name in NAMES[:2]:
            assert run("sync", "--flow", "customer", "--company", name).returncode == 0
        yield opened


@pytest.fixture
def standings() -> Iterator[tuple[Standings, str]]:
    """Them, and the address at which they are told."""
    standings = Standings()
    server, thread = serving(standings, host="127.0.0.1", port=0)
    try:
        yield standings, f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(address: str) -> Told:
    """What is told, as Prometheus reads it."""
    answer = httpx.get(address)
    assert answer.status_code == 200
    return {
        family.name: {
            tuple(one.labels[name] for name in LABELS if name in one.labels): one.value
            for one in family.samples
        }
        for family in text_string_to_metric_families(answer.text)
    }


def test_every_number_is_in_the_databases(companies: Companies, standings: tuple[Standings, str]) -> None:
    before = counted_of(companies, NAMES[:2])
    wrong = standings[0].refresh()
    after = counted_of(companies, NAMES[:2])
    assert set(wrong) == {"rome"}
    assert "talk-pipeline sync first" in wrong["rome"]
    told = asked(standings[1])
    assert told["talk_up"] == {("berlin",): 1, ("oslo",): 1, ("rome",): 0}
    for name in NAMES[:2]:
        world = companies[name]
        ((started,),) = world.sql("select min(started_at) from run")
        assert told["talk_last_run_timestamp_seconds"][name,] == started.replace(tzinfo=UTC).timestamp()
        assert told["talk_last_run_good"][name,] == 1
        for flow, at in world.sql("select flow, started_at from run"):
            in_step = told["talk_flow_in_step_timestamp_seconds"][name, flow]
            assert in_step == at.replace(tzinfo=UTC).timestamp()
            ((requests,),) = world.sql(
                "select count(*) from journal where flow = ? and outcome is null", flow
            )
            assert told["talk_flow_open_requests"][name, flow] == requests
        ((quarantined,),) = world.sql("select count(*) from status where state = 'quarantined'")
        assert told["talk_waiting"][name, "quarantined"] == quarantined == (name == "berlin")
        for side in WINDOWS:
            used = told["talk_limit_used_requests"][name, side, ""]
            assert after[name, side] <= used <= before[name, side]
            assert told["talk_limit_allowed_requests"][name, side, ""] == 6000


def test_what_cannot_be_read_keeps_its_last_numbers(
    companies: Companies, standings: tuple[Standings, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "WAIT_SECONDS", 0.1)
    standings[0].refresh()
    before = asked(standings[1])
    file = companies["oslo"].data / "talk.duckdb"
    kept = file.rename(file.with_name("kept"))
    try:
        assert set(standings[0].refresh()) == {"oslo", "rome"}
        after = asked(standings[1])
    finally:
        kept.rename(file)
    assert after["talk_up"]["oslo",] == 0
    assert after["talk_waiting"] == before["talk_waiting"]


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "talk_pipeline.cli.metrics")
    done = run("metrics")
    assert done.returncode == 2
    assert "pip install 'talk-pipeline[metrics]'" in done.stderr
