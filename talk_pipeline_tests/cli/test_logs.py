"""Logs as JSON: each line says what it is about, and holds no value and no secret."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from talk_pipeline_tests.cli.command_line import start
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.several import Companies, opened_companies

pytestmark = pytest.mark.xdist_group("companies")


@pytest.fixture
def companies(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Iterator[Companies]:
    with (
        pytest.MonkeyPatch.context() as patch,
        opened_companies(tmp_path_factory.mktemp("logs"), "berlin", instance=instance, patch=patch) as opened,
    ):
        yield opened


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_line_says_what_it_is_about(companies: Companies) -> None:
    world = companies["berlin"]
    buyer = world.shop.post("customers", customer("C1"))["id"]
    done = start("sync", "--company", "berlin", "--flow", "customer", "--json", TALK_LOGS="json")
    assert done.returncode == 0, done.stderr
    ((run_id,),) = world.sql("select distinct run_id from run")
    logged = lines(done.stderr)
    stages = [one for one in logged if one["logger"].endswith("run_summary")]
    assert len(stages) > 10
    for one in stages:
        assert (one["run"], one["company"], one["level"]) == (run_id, "berlin", "info")
        assert one["message"].startswith(f"{one['flow']}: ")
        assert "record" not in one
    written = [one for one in logged if one["logger"] == "talk_records"]
    journal = world.sql("select flow, target, root_shop_id from journal order by all")
    told = sorted(
        (one["flow"], one["message"].split(" in ")[1].split(":")[0], one["record"]) for one in written
    )
    assert told == journal
    assert buyer in {one["record"] for one in written}
    assert {one["run"] for one in written} == {run_id}
    assert "Company C1" not in done.stderr
    assert os.environ["BERLIN_CUSTOMWEBSHOP_TOKEN"] not in done.stderr

    plain = start("sync", "--company", "berlin", "--flow", "customer")
    assert not lines(plain.stderr)
    assert "customer: plan ..." in plain.stderr


def test_runs_of_the_code_location_print_such_lines_too(companies: Companies) -> None:
    code = (
        "import dagster as dg, talk_pipeline.definitions as made;"
        "job = made.defs.resolve_job_def('sync_customer'); instance = dg.DagsterInstance.ephemeral();"
        "print(job.execute_in_process(instance=instance, partition_key='berlin').run_id)"
    )
    environment = {**os.environ, "TALK_LOGS": "json"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    logged = lines(done.stderr)
    assert len(logged) > 10
    about = {(one["run"], one["company"], one["flow"]) for one in logged}
    assert about == {(done.stdout.strip(), "berlin", "customer")}
