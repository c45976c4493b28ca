"""The console script: output, exit statuses, errors of one line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline_tests.cli.command_line import run, start
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def test_sync_prints_one_json_document_and_nothing_else(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item)]))
    done = start("sync", "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert set(document) == {"run", "flows", "checks"}
    assert set(document["flows"]) == {"customer", "product", "order"}
    numbers = document["flows"]["order"]
    assert numbers["snapshot"] == {"customwebshop": 1, "businesscentral": 1}
    assert numbers["linked"] == 1
    assert numbers["writes"]["businesscentral"] == {"create": 1, "update": 0, "delete": 0}
    assert set(numbers) == {
        "snapshot",
        "linked",
        "waiting",
        "ambiguous",
        "quarantined",
        "held",
        "attached",
        "excluded",
        "closed",
        "broken",
        "conflicts",
        "changes",
        "writes",
        "failed",
    }
    assert document["checks"]["failed"] == 0
    assert "snapshot" in done.stderr, "progress is shown while it works"

    only = run("sync", "--flow", "order", "--json")
    assert set(json.loads(only.stdout)["flows"]) == {"order"}

    text = run("sync")
    assert text.returncode == 0
    assert "upsert Business Central" in text.stdout
    assert " ".join(text.stdout.split()).endswith("product, order: PASSED (137 passed)"), (
        "the verdict is last"
    )


def test_checklist_in_every_form(world: World, tmp_path: Path) -> None:
    nothing = start("checklist")
    assert nothing.returncode == 2
    assert "talk-pipeline sync first" in nothing.stderr
    world.shop.post("customers", customer())
    world.sync()
    text = start("checklist")
    assert text.returncode == 0
    assert "Customers company: 38 passed" in " ".join(text.stdout.split())
    assert "Links are one to one" not in text.stdout, "what passed is folded to a line"
    document = json.loads(run("checklist", "--format", "json").stdout)
    assert document["checks"]["failed"] == 0
    assert {row["check"] for row in document["flows"]["customer"]} >= {"complete_and_fresh", "property_email"}
    for form in ("rst", "html"):
        file = tmp_path / f"checklist.{form}"
        assert run("checklist", "--format", form, "--out", str(file)).returncode == 0
        assert "Customwebshop Customer" in file.read_text()


@pytest.mark.slow
def test_a_failed_check_is_exit_status_one(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    world.sync("customer")
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    stopped = start("sync", "--flow", "customer", "--json")
    assert stopped.returncode == 1
    assert json.loads(stopped.stdout)["checks"]["failed"] == 1
    assert run("checklist").returncode == 1
    dry = run("sync", "--flow", "customer", "--dry-run", "--json")
    assert dry.returncode == 1, "a dry run says what the run would do"
    assert json.loads(dry.stdout)["flows"]["customer"]["changes"] == 30
    assert run("sync", "--flow", "customer", "--approve").returncode == 0


MISTAKES = [
    ({"CUSTOMWEBSHOP_URL": ""}, 2, "CUSTOMWEBSHOP_URL"),
    ({"CUSTOMWEBSHOP_URL": "localhost:80"}, 2, "is not an address"),
    ({"CUSTOMWEBSHOP_URL": "http://127.0.0.1:9"}, 3, "cannot be reached"),
    ({"BUSINESSCENTRAL_URL": "http://127.0.0.1:9/api/v2.0"}, 3, "cannot be reached"),
    ({"CUSTOMWEBSHOP_TOKEN": "wrong"}, 2, "refuses the credentials"),
    ({"BUSINESSCENTRAL_CLIENT_SECRET": "wrong"}, 2, "no token for these credentials"),
    ({"BUSINESSCENTRAL_COMPANY_ID": "11111111-1111-1111-1111-111111111111"}, 2, "there are: "),
    ({"BUSINESSCENTRAL_TIME_ZONE": "Mars/Olympus"}, 2, "BUSINESSCENTRAL_TIME_ZONE"),
    ({"TALK_FLOWS_DIR": "nowhere"}, 2, "no such folder"),
    ({"TALK_DATA_DIR": "/dev/null"}, 2, "/dev/null/limits"),
]


@pytest.mark.parametrize(("environment", "status", "message"), MISTAKES)
def test_a_mistake_is_one_line(world: World, environment: dict[str, str], status: int, message: str) -> None:
    done = run("sync", **environment)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len([text for text in done.stderr.splitlines() if text.strip()]) == 1
    assert world.environment["BUSINESSCENTRAL_CLIENT_SECRET"] not in done.stderr


def test_a_mistake_is_one_line_in_a_shell(world: World) -> None:
    for name in ("CUSTOMWEBSHOP_TOKEN", "BUSINESSCENTRAL_CLIENT_SECRET"):
        done = start("sync", **{name: "wrong-and-long"})
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "wrong-and-long" not in done.stderr
        assert world.environment["BUSINESSCENTRAL_CLIENT_SECRET"] not in done.stderr


def test_wrong_addresses_name_the_setting(world: World) -> None:
    shop = world.environment["CUSTOMWEBSHOP_URL"]
    wrong = run("sync", CUSTOMWEBSHOP_URL=f"{shop}/nothing/here")
    assert (wrong.returncode, "CUSTOMWEBSHOP_URL" in wrong.stderr) == (2, True), wrong.stderr
    root = world.environment["BUSINESSCENTRAL_URL"].removesuffix("/api/v2.0")
    wrong = run("sync", BUSINESSCENTRAL_URL=root)
    assert (wrong.returncode, "BUSINESSCENTRAL_URL" in wrong.stderr) == (2, True), wrong.stderr
    with_path = run("sync", "--flow", "customer", CUSTOMWEBSHOP_URL=f"{shop}/api/v1")
    assert with_path.returncode == 0, with_path.stderr


def test_where_nothing_can_be_written_or_heard_is_told_at_once(world: World) -> None:
    for arguments in (("sync", "--dry-run", "--plan"), ("audit", "--csv")):
        done = run(*arguments, "nowhere/out.csv")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "error: nowhere/out.csv: the folder nowhere does not exist: make it first\n"
    assert world.data.exists() is False
    for option in ("--port-shop", "--port-bc"):
        done = run("sandbox", option, "99999")
        assert (done.returncode, option in done.stderr) == (2, True), done.stderr


def test_an_unknown_flow_and_a_broken_file(world: World, tmp_path: Path) -> None:
    unknown = run("sync", "--flow", "invoice")
    assert unknown.returncode == 2
    assert "no flow 'invoice'; there are: customer, product, order" in unknown.stderr
    folder = copied_flows(tmp_path / "flows")
    (folder / "product.yaml").write_text("flow: [product")
    broken = run("check-config", TALK_FLOWS_DIR=str(folder))
    assert broken.returncode == 2
    assert "product.yaml:1: not YAML" in broken.stderr
    assert run("sync", "--flow").returncode == 2
    assert world.data.exists() is False


def test_check_config_asks_both_systems(world: World) -> None:
    done = run("check-config")
    assert done.returncode == 0, done.stderr
    assert "flow customer: 15 properties" in done.stdout
    assert "local currency DKK" in done.stdout
    assert world.environment["BUSINESSCENTRAL_COMPANY_ID"] in done.stdout


def test_check_config_says_so_when_it_asked_nobody(world: World) -> None:
    done = run("check-config", CUSTOMWEBSHOP_URL="")
    assert done.returncode == 2
    assert "flow customer: 15 properties" in done.stdout
    assert "the systems were not asked: not set: CUSTOMWEBSHOP_URL" in done.stderr
    assert "--files-only" in done.stderr
    files = run("check-config", "--files-only", CUSTOMWEBSHOP_URL="")
    assert (files.returncode, files.stderr) == (0, "")


def test_a_currency_that_is_set_is_not_asked_for(world: World) -> None:
    asked = [{"match": {"path": "companyInformation"}, "fault": {"status": 403}, "times": None}]
    world.bc.faults(*asked)
    refused = run("sync", "--flow", "customer")
    assert (refused.returncode, "403" in refused.stderr) == (2, True), refused.stderr
    assert run("sync", "--flow", "customer", BUSINESSCENTRAL_CURRENCY="DKK").returncode == 0


def test_another_run_holds_the_flow(world: World) -> None:
    with world.held("customer"):
        held = run("sync", TALK_WAIT_SECONDS="0.2")
    assert held.returncode == 3
    assert "flow 'customer' is held by run another" in held.stderr


def test_a_database_remembers_whose_it_is(world: World) -> None:
    world.shop.post("customers", customer())
    assert world.sync("customer").success
    companies = json.loads(
        world.bc.http.get(f"{world.environment['BUSINESSCENTRAL_URL']}/companies").content
    )["value"]
    other = next(
        row["id"] for row in companies if row["id"] != world.environment["BUSINESSCENTRAL_COMPANY_ID"]
    )
    done = run("sync", BUSINESSCENTRAL_COMPANY_ID=other)
    assert done.returncode == 2
    assert other in done.stderr
    assert world.environment["BUSINESSCENTRAL_COMPANY_ID"] in done.stderr


def test_the_id_of_a_company_may_be_written_as_windows_writes_it(world: World) -> None:
    own = world.environment["BUSINESSCENTRAL_COMPANY_ID"]
    assert run("sync", "--flow", "customer").returncode == 0
    for written in (own.upper(), f"{{{own.upper()}}}"):
        for command in (("sync", "--flow", "customer"), ("audit", "customer")):
            done = run(*command, BUSINESSCENTRAL_COMPANY_ID=written)
            assert done.returncode == 0, done.stderr


def test_a_company_may_be_named(world: World) -> None:
    companies = world.bc.read(world.bc.http.get(f"{world.environment['BUSINESSCENTRAL_URL']}/companies"))
    name = next(
        row["name"]
        for row in companies["value"]
        if row["id"] == world.environment["BUSINESSCENTRAL_COMPANY_ID"]
    )
    done = run("check-config", BUSINESSCENTRAL_COMPANY_ID="", BUSINESSCENTRAL_COMPANY=name)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.slow
def test_the_sandbox_tells_its_environment(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "talk_pipeline", "sandbox", "--size", "5", "--state", str(tmp_path / "s.db")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told: dict[str, str] = {}
        for text in process.stdout:
            name, _, value = text.strip().partition("=")
            told[name] = value
            if name == "SANDBOX_READY":
                break
        assert told.pop("SANDBOX_READY") == "1"
        done = run("sync", "--json", TALK_DATA_DIR=str(tmp_path / "data"), **told)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["flows"]["customer"]["snapshot"]["customwebshop"] == 5
        for secret in ("CUSTOMWEBSHOP_TOKEN", "BUSINESSCENTRAL_CLIENT_SECRET"):
            files = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
            assert files
            assert not [file for file in files if told[secret].encode() in file.read_bytes()]
            assert told[secret] not in done.stdout + done.stderr
        process.terminate()


def test_a_sandbox_without_its_packages_says_how_to_get_them() -> None:
    without = (
        "import sys; sys.modules['odata_query'] = None; sys.argv[1:] = ['sandbox'];"
        "from talk_pipeline.cli.main import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the sandbox needs the package odata_query")
    assert line.endswith(f"{sys.executable} -m pip install -e '.[sandbox]'")


def test_a_dry_run_writes_its_plan(world: World, tmp_path: Path) -> None:
    world.shop.post("customers", customer())
    for name in ("plan.csv", "plan.json"):
        done = run("sync", "--dry-run", "--flow", "customer", "--plan", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "plan.json").read_text())
    website = next(row for row in rows if row["property"] == "website")
    assert (website["operation"], website["target"]) == ("create", "businesscentral")
    assert website["after"] == "www.c1.example"
    assert (tmp_path / "plan.csv").read_text().count("\n") == len(rows) + 1
    assert not world.bc.all("customers")
    assert run("sync", "--plan", "plan.csv").returncode == 2
    assert run("sync", "--dry-run", "--plan", "plan.txt").returncode == 2
