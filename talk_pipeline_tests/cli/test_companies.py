"""`--company`, and commands about all companies: three of them, each with two systems of its own."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from talk_pipeline_tests.cli.command_line import Done, run
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.several import WINDOWS, Companies, counted_of, opened_companies

pytestmark = pytest.mark.xdist_group("companies")
NAMES = ("berlin", "oslo", "rome")


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def companies(
    tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance, patch: pytest.MonkeyPatch
) -> Iterator[Companies]:
    """Of berlin one record waits for a person; nothing ran yet."""
    folder = tmp_path_factory.mktemp("companies")
    with opened_companies(folder, *NAMES, instance=instance, patch=patch) as opened:
        for name, world in opened.items():
            world.shop.post("customers", customer(f"C-{name}"))
        opened["berlin"].shop.post("customers", customer("Q1", currency="DKR"))
        yield opened


@pytest.fixture(scope="module")
def before(companies: Companies) -> Done:
    """What is told of companies of which nothing ran yet."""
    return run("status", "--json")


@pytest.fixture(scope="module")
def synced(companies: Companies, before: Done) -> Any:
    """All of them synchronized in one kind of record, and what was told of it."""
    done = run("sync", "--flow", "customer", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["companies"]


def test_nothing_ran_yet(before: Done) -> None:
    assert before.returncode == 2
    told = json.loads(before.stdout)["companies"]
    assert list(told) == list(NAMES)
    assert all("talk-pipeline sync first" in one["error"] for one in told.values())


def test_all_are_synchronized_and_each_has_its_own_state(companies: Companies, synced: Any) -> None:
    assert list(synced) == list(NAMES)
    for name, world in companies.items():
        assert synced[name]["flows"]["customer"]["linked"] == 1
        (there,) = world.bc.all("customers").values()
        assert there["displayName"] == f"Company C-{name}"
        ((run_id,),) = world.sql("select distinct run_id from run")
        assert synced[name]["run"]["id"] == run_id
    assert len({one["run"]["id"] for one in synced.values()}) == len(NAMES)


def test_every_number_told_of_all_is_in_the_databases(companies: Companies, synced: Any) -> None:
    before = counted_of(companies, NAMES)
    done = run("status", "--json")
    after = counted_of(companies, NAMES)
    assert done.returncode == 0
    told = json.loads(done.stdout)["companies"]
    for name, world in companies.items():
        one = told[name]
        ((run_id,),) = world.sql("select distinct run_id from run")
        ((waiting,),) = world.sql("select count(*) from status where state = 'quarantined'")
        assert (one["run"]["id"], one["attention"]["total"]) == (run_id, waiting)
        assert waiting == (name == "berlin")
        for flow, started in world.sql("select flow, started_at from run"):
            assert one["flows"][flow]["last_success"] == run_id
            assert one["flows"][flow]["in_step_at"] == f"{started.isoformat(timespec='milliseconds')}Z"
        for limit in one["limits"]:
            system = limit["system"]
            assert after[name, system] <= limit["used"] <= before[name, system]
            assert (limit["application"], limit["window_seconds"]) == ("", WINDOWS[system])
            assert limit["used"] < limit["allowed"] == 6000
        assert {limit["system"] for limit in one["limits"]} == {"customwebshop", "businesscentral"}
        by_itself = json.loads(run("status", "--json", "--company", name).stdout)
        assert by_itself["run"]["id"] == run_id
    shown = run("status").stdout
    assert "3 companies; waiting for a person: 1 (1 quarantined)" in shown
    for name in NAMES:
        (row,) = (line for line in shown.splitlines() if name in line)
        assert ("warned" if name == "berlin" else "passed") in row


def test_the_budget_is_what_the_system_saw(companies: Companies, synced: Any) -> None:
    world = companies["oslo"]
    before = limits(run("status", "--json", "--company", "oslo"))
    world.forget_requests()
    assert run("sync", "--company", "oslo").returncode == 0
    after = limits(run("status", "--json", "--company", "oslo"))
    assert after["customwebshop"] - before["customwebshop"] == world.shop.requests()["total"] > 0


def limits(done: Done) -> dict[str, int]:
    return {one["system"]: one["used"] for one in json.loads(done.stdout)["limits"]}


def test_a_command_about_a_state_asks_for_a_company(companies: Companies, synced: Any) -> None:
    for command in (
        ["attention"],
        ["explain", "customer", "C-oslo"],
        ["backup", "x"],
        ["undo", "x"],
    ):
        done = run(*command)
        assert done.returncode == 2
        assert f"which company? There are several in {companies.file}" in done.stderr
        assert "berlin, oslo, rome" in done.stderr
    waiting = json.loads(run("attention", "--json", "--company", "berlin").stdout)
    assert waiting["total"] == 1
    assert json.loads(run("attention", "--json", TALK_COMPANY="rome").stdout)["total"] == 0
    assert "Company C-oslo" in run("explain", "customer", "C-oslo", "--company", "oslo").stdout
    assert run("explain", "customer", "C-oslo", "--company", "rome").returncode == 2
    unknown = run("status", "--company", "paris")
    assert (unknown.returncode, "no company 'paris' in" in unknown.stderr) == (2, True)


def test_a_plan_of_several_companies_is_asked_for_one_by_one(
    companies: Companies, synced: Any, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.csv"
    done = run("sync", "--flow", "customer", "--dry-run", "--plan", str(plan))
    assert (done.returncode, done.stdout, plan.exists()) == (2, "", False)
    assert f"--plan {plan}: is one file" in done.stderr
    assert "one of berlin, oslo, rome" in done.stderr
    one = run("sync", "--flow", "customer", "--dry-run", "--plan", str(plan), "--company", "oslo")
    assert (one.returncode, plan.exists()) == (0, True), one.stderr


def test_a_company_whose_settings_are_wrong_stops_itself_alone(companies: Companies, synced: Any) -> None:
    wrong = {**companies.said["oslo"], "settings": {"CUSTOMWEBSHOP_TOKEN": "in-the-clear"}}
    try:
        companies.write(oslo=wrong)
        done = run("sync", "--flow", "customer", "--json")
        assert done.returncode == 2
        told = json.loads(done.stdout)["companies"]
        assert list(told["oslo"]) == ["error"]
        assert "companies.oslo.settings: CUSTOMWEBSHOP_TOKEN: is no setting" in told["oslo"]["error"]
        assert "error: oslo: " in done.stderr
        assert "in-the-clear" not in done.stdout + done.stderr
        assert told["rome"]["run"]["verdict"] == told["berlin"]["run"]["verdict"].replace("warned", "passed")
        checked = run("check-config")
        assert checked.returncode == 2
        assert checked.stdout.count("both systems are as described") == 2
        status = run("status")
        assert status.returncode == 2
        assert "\noslo: " in status.stdout
    finally:
        companies.write()


def test_the_exit_status_is_the_worst(companies: Companies, synced: Any) -> None:
    companies["rome"].bc.faults({"match": {}, "fault": {"status": 503, "retry_after": 0}, "times": None})
    try:
        done = run("sync", "--flow", "customer")
        assert done.returncode == 3
        assert "error: rome: " in done.stderr
        assert '"companies"' not in done.stdout, "a document is for whoever asks for one"
    finally:
        companies["rome"].bc.no_faults()
    assert run("sync", "--flow", "customer").returncode == 0


def test_a_company_that_is_called_otherwise_does_not_begin_anew(companies: Companies, synced: Any) -> None:
    """Else what a person parted, or deleted on one side, would be linked or made again without a word."""
    said = companies.said.pop("oslo")
    former = companies["oslo"].data
    try:
        companies.write(bergen=said)
        refused = run("sync", "--flow", "customer", "--company", "bergen")
        assert refused.returncode == 2
        assert f"{former} is the state of the same two systems" in refused.stderr
        assert "call this one oslo again" in refused.stderr
        companies.write(bergen=said | {"settings": said["settings"] | {"TALK_DATA_DIR": str(former)}})
        done = run("sync", "--flow", "customer", "--json", "--company", "bergen")
        assert done.returncode == 0, done.stderr
        writes = json.loads(done.stdout)["flows"]["customer"]["writes"]
        assert not any(number for side in writes.values() for number in side.values())
        assert run("sync", "--flow", "customer", "--company", "bergen").returncode == 0
        (moved := former.with_name("moved")).mkdir()
        former.rename(moved / "oslo")
        with closing(duckdb.connect(moved / "talk.duckdb")) as foreign:
            foreign.execute("create table meaning (id integer)")
        try:
            companies.write(bergen=said)
            assert run("sync", "--flow", "customer", "--company", "bergen").returncode == 0, "begun anew"
        finally:
            (moved / "oslo").rename(former)
    finally:
        companies.said["oslo"] = said
        companies.write()
