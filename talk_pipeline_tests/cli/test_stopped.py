"""What a run that the circuit breaker stopped says of itself, in every form, and what a dry run says of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
import yaml
from pypdf import PdfReader

from talk_pipeline.dagster.build import build_defs
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline_tests.cli.command_line import Done, run
from talk_pipeline_tests.dagster.test_shown import judged
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World, opened_world

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stopped")]  # one stop for all that look at it

FORMS = ("text", "json", "rst", "html", "pdf")


BUYERS = 21


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Iterator[World]:
    """Everything in step, then a mass edit of the customers and one new order."""
    folder = tmp_path_factory.mktemp("stopped")
    flows = copied_flows(folder / "flows", customer=("minimum: 25", "minimum: 5"))
    with opened_world(folder, instance=instance) as world, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALK_FLOWS_DIR", str(flows))
        buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(BUYERS)]
        item = world.shop.post("products", product())["id"]
        assert world.sync().success
        for number, buyer in enumerate(buyers):
            world.shop.patch("customers", buyer, {"website": f"www.wrong{number}.example"})
        world.shop.patch("customers", buyers[7], {"phone": None, "company_name": "Another Name"})
        world.shop.post("orders", order("O1", buyers[0], [line(item)]))
        yield world


@pytest.fixture(scope="module")
def before(edited: World) -> Any:
    """The checklist of the run before the stop."""
    return checklist()


@pytest.fixture(scope="module")
def stopped(edited: World, before: Any) -> Any:
    """What the stopped run printed for scripts."""
    assert before["run"]["verdict"] == "passed"
    done = run("sync", "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    return json.loads(done.stdout)


def checklist(form: str = "json") -> Any:
    done = run("checklist", "--format", form)
    return json.loads(done.stdout) if form == "json" else done.stdout


def test_after_a_stop_no_verdict_of_an_earlier_run_is_shown_as_this_runs(before: Any, stopped: Any) -> None:
    told = checklist()
    assert told["run"] == stopped["run"]
    assert told["run"]["id"] != before["run"]["id"]
    assert told["run"]["verdict"] == "failed", told["run"]["problems"]
    for flow, lines in told["flows"].items():
        for one in lines:
            if one["verdict"] == "not run":
                assert (one["run"], one["severity"], one["rows"]) == (None, None, [])
                assert one["earlier"]["run"] == before["run"]["id"], (flow, one["check"])
            else:
                assert one["run"] == stopped["run"]["id"]
                assert one["checked_at"] >= told["run"]["started_at"]
    by_flow = {flow: {one["check"]: one for one in lines} for flow, lines in told["flows"].items()}
    assert by_flow["customer"]["change_volume_safe"]["verdict"] == "failed"
    assert by_flow["customer"]["complete_and_fresh"]["verdict"] == "passed"
    assert (
        "stopped at “The volume of changes is plausible”: 21 of 21"
        in (by_flow["customer"]["links_one_to_one"]["summary"])
    )
    assert {one["verdict"] for one in by_flow["product"].values()} == {"passed"}
    assert (
        "it waits for customer, which was stopped: 21 of 21"
        in (by_flow["order"]["links_one_to_one"]["summary"])
    )
    assert told["checks"]["not_run"] == sum(
        one["verdict"] == "not run" for lines in told["flows"].values() for one in lines
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_begins_with_run_time_and_verdict_and_tells_the_stop(
    edited: World, stopped: Any, form: str
) -> None:
    file = edited.data / "checklist.pdf"
    done = run("checklist", "--format", form, *(("--out", str(file)) if form == "pdf" else ()))
    assert done.returncode == 1
    if form == "pdf":
        done = Done(1, "\n".join(page.extract_text() for page in PdfReader(file).pages), "")
    text = re.sub(r"(?s)<style>.*?</style>", "", done.stdout.replace("\\", ""))
    head = text[:2500]
    if form == "json":
        assert next(iter(json.loads(text))) == "run"
    assert stopped["run"]["id"] in head
    ((started,),) = edited.sql("select distinct started_at from run where run_id = ?", stopped["run"]["id"])
    assert f"{started:%Y-%m-%d %H:%M:%S}" in head or f"{started:%Y-%m-%dT%H:%M:%SZ}" in head
    assert "FAILED" in head or '"verdict": "failed"' in head
    for expected in (
        *("nothing was written", "21 of 21 linked pairs would change", "breaker.share", "not run"),
        *("talk-pipeline sync --flow customer --approve", "--dry-run --plan plan.csv", "job sync_customer"),
        *("www.wrong3.example", "www.c3.example", "Another Name", "+45 33 12 34 56"),
    ):
        assert expected in text, expected


def test_the_largest_changes_are_those_of_the_plan(edited: World, stopped: Any) -> None:
    (stop,) = stopped["run"]["stopped"]
    assert (stop["flow"], stop["written"], stop["changes"]) == ("customer", 0, BUYERS + 2)
    rows = stop["largest"]
    assert len(rows) == 20
    # the record with three changes comes first, and of it the value that is emptied
    assert rows[0]["number"] == "C7"
    assert (rows[0]["property"], rows[0]["before"], rows[0]["after"]) == ("phone", "+45 33 12 34 56", None)
    assert (rows[0]["name"], rows[0]["changes_of_record"]) == ("Another Name", 3)
    assert len({row["number"] for row in rows}) == 20, "twenty records before a second change of any"
    for row in rows:
        held = edited.sql(
            "select c.before, c.after from change c join record r on r.part = c.part and r.id = c.shop_id"
            " where r.side = 'customwebshop' and r.raw['number'] = ? and c.property = ? and c.target = ?",
            *(row["number"], row["property"], row["target"]),
        )
        assert held == [(row["before"], row["after"])]
    websites = {row["website"] for row in edited.bc.all("customers").values()}
    assert not [website for website in websites if "wrong" in website]


def test_a_dry_run_says_what_the_run_would_do(edited: World, stopped: Any) -> None:
    dry = run("sync", "--dry-run", "--json")
    assert dry.returncode == 1
    told = json.loads(dry.stdout)
    assert told["checks"] == stopped["checks"]
    assert told["run"]["dry_run"] is True
    assert told["run"]["verdict"] == "failed"
    for name in ("flow", "changes", "largest", "written"):
        assert told["run"]["stopped"][0][name] == stopped["run"]["stopped"][0][name]
    assert {flow: one["changes"] for flow, one in told["flows"].items()} == {
        flow: one["changes"] for flow, one in stopped["flows"].items()
    }
    text = run("checklist")
    assert text.returncode == 1
    plain = " ".join(text.stdout.split())
    assert "nothing was written; a run would be stopped by the circuit breaker:" in plain, plain[:600]
    approved = run("sync", "--dry-run", "--approve", "--json")
    assert approved.returncode == 0, approved.stdout
    assert json.loads(approved.stdout)["flows"]["customer"]["changes"] == BUYERS


def test_a_sink_materialized_alone_stops_with_the_same_words(edited: World, stopped: Any) -> None:
    flows = Connections(Settings.load()).flows
    job = build_defs(flows).resolve_job_def("sync_all")
    alone = job.execute_in_process(
        instance=edited.instance, asset_selection=[dg.AssetKey(["sync", "customer"])], raise_on_error=False
    )
    assert not alone.success
    (failure,) = [e.step_failure_data.user_failure_data for e in alone.all_events if e.is_step_failure][:1]
    assert failure is not None
    assert "nothing was written" in (failure.description or "")
    assert "--approve" in str(failure.metadata["how to go on"].value)
    told = checklist()
    assert told["run"]["id"] == alone.run_id
    assert told["run"]["verdict"] == "failed"


def test_dagster_shows_the_stop_and_the_config_that_approves_it(edited: World, stopped: Any) -> None:
    again = edited.sync("customer")
    assert not again.success
    assert not again.problems, "a check speaks for itself"
    check = judged(edited, again)["diffs/customer:change_volume_safe"]
    assert (check["passed"], check["severity"]) == (False, "ERROR")
    assert "nothing was written" in check["what happened"]
    assert check["changes shown"] == "20 of 23"
    assert len(check["largest changes"]) == 20
    assert check["largest changes"][0]["number"] == "C7"
    assert "talk-pipeline sync --flow customer --approve" in check["how to go on"]
    way = check["how to go on"].split("job sync_customer with the config ")[1].split("`")[0]
    flows = Connections(Settings.load()).flows
    job = build_defs(flows).resolve_job_def("sync_customer")
    done = job.execute_in_process(instance=edited.instance, run_config=yaml.safe_load(way))
    assert done.success
    websites = {row["website"] for row in edited.bc.all("customers").values()}
    assert websites == {f"www.wrong{number}.example" for number in range(BUYERS)}


def test_of_a_flow_that_the_run_was_not_about_the_last_word_is_told_as_such(world: World) -> None:
    world.shop.post("customers", customer())
    first = world.sync()
    second = world.sync("customer")
    told = checklist()
    assert (told["run"]["id"], told["run"]["flows"]) == (second.run_id, ["customer"])
    assert {one["run"] for one in told["flows"]["customer"]} == {second.run_id}
    for one in told["flows"]["product"]:
        assert one["verdict"] == "not run"
        assert one["summary"] == "not run: the run was of customer alone"
        assert (one["earlier"]["run"], one["earlier"]["verdict"]) == (first.run_id, "passed")
    text = checklist("text")
    assert "(earlier: passed," in text
    assert first.run_id[:8] in text


def test_a_run_that_broke_off_is_told_with_what_broke_it(world: World) -> None:
    world.shop.post("customers", customer())
    world.sync()
    fault = {"match": {"method": "GET", "path": "*/salesOrders"}, "fault": {"status": 500}, "times": None}
    world.bc.faults(fault)
    broken = run("sync")
    world.bc.no_faults()
    assert broken.returncode == 3
    done = run("checklist", "--format", "json")
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert told["run"]["verdict"] == "incomplete"
    assert "order" in told["run"]["problems"]
    left = [one for one in told["flows"]["order"] if one["verdict"] == "not run"]
    assert left
    assert all("broke off" in one["summary"] for one in left)
