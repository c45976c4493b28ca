"""A company that two machines work on in turn: whole runs, one killed while Business Central carries it out."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from talk_pipeline_tests.cli.command_line import run, start
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.world import World

LONGEST_SECONDS = 3
HELD = {"match": {"method": "POST", "path": "customers"}, "fault": {"hold": True}, "times": None}


@pytest.fixture(autouse=True)
def carried(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longest(monkeypatch, tmp_path, seconds=LONGEST_SECONDS)
    monkeypatch.setenv("TALK_LEASE_SECONDS", "1")
    monkeypatch.setenv("TALK_WORK_DIR", str(tmp_path / "north"))


def test_a_run_on_the_next_machine_has_nothing_to_do(world: World, tmp_path: Path) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    assert run("sync", "--flow", "customer").returncode == 0
    elsewhere = str(tmp_path / "south")
    told = run("explain", "customer", buyer, TALK_WORK_DIR=elsewhere)
    assert "in step" in told.stdout
    world.forget_requests()
    assert run("sync", "--flow", "customer", TALK_WORK_DIR=elsewhere).returncode == 0
    assert world.writes() == {"customwebshop": 0, "businesscentral": 0}
    world.shop.patch("customers", buyer, {"website": "www.edited.example"})
    assert run("sync", "--flow", "customer", TALK_WORK_DIR=elsewhere).returncode == 0
    assert run("audit", "customer").returncode == 0, "that reads what the other machine has left"
    assert not (world.data / "talk.duckdb").exists()


def test_a_machine_that_has_nothing_of_it_prunes_it(world: World, tmp_path: Path) -> None:
    """As a container that is new each night."""
    world.shop.post("customers", customer())
    assert run("sync", "--flow", "customer").returncode == 0
    with duckdb.connect(str(tmp_path / "north" / "talk.duckdb")) as db:
        db.execute("update meta set value = uuid()::varchar where starts_with(key, 'mark:')")
        db.execute("update run set started_at = started_at - interval 500 day")
        db.execute("insert into stage (run_id, flow, name) values ('old', 'customer', 'plan')")
    assert run("sync", "--flow", "customer").returncode == 0
    done = run("prune", TALK_WORK_DIR=str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    assert "older than 400 days: 0 rows" not in done.stdout
    again = run("prune", TALK_WORK_DIR=str(tmp_path / "newer"))
    assert "older than 400 days: 0 rows" in again.stdout


@pytest.mark.long
@pytest.mark.slow
def test_what_a_killed_machine_had_asked_for_is_not_asked_for_twice(world: World, tmp_path: Path) -> None:
    world.shop.post("customers", customer("C1"))
    assert run("sync", "--flow", "customer").returncode == 0
    for number in ("C2", "C3", "C4"):
        world.shop.post("customers", customer(number))
    world.bc.faults(HELD)
    elsewhere = ["unshare", "--map-root-user", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', "north"]
    command = [sys.executable, "-m", "talk_pipeline", "sync", "--flow", "customer"]
    doomed = subprocess.Popen(elsewhere + command, start_new_session=True, stdout=subprocess.DEVNULL)
    while not world.bc.rules()[0]["fired"]:
        assert doomed.poll() is None
        time.sleep(0.1)
    os.killpg(doomed.pid, signal.SIGKILL)
    doomed.wait()

    south = {"TALK_WORK_DIR": str(tmp_path / "south")}
    refused = start("sync", "--flow", "customer", **south)
    assert refused.returncode != 0
    assert "ended without leaving a snapshot" in refused.stdout + refused.stderr
    world.bc.no_faults()  # what was held is carried out, though nobody waits for it any more
    time.sleep(LONGEST_SECONDS)
    done = start("sync", "--flow", "customer", **south)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(world.bc.all("customers")) == 4
    assert start("audit", "customer", **south).returncode == 0
    world.forget_requests()
    assert start("sync", "--flow", "customer").returncode == 0, "the machine that was killed is back"
    assert world.writes() == {"customwebshop": 0, "businesscentral": 0}
